// Measures Canvas: cx-blueprint, PostGraphile and flat SQL by pgbench, one after the other and over again, on the database named by TEST_DATABASE_URL, which it fills. Judges no figure; fails on any wrong answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { comparable, comparablePeer, difference } from './compare.mjs';

// What comes after `--` are options of `generate`.
const { values: options, positionals: size } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: 'string' }, // the cx-blueprint to measure
    generator: { type: 'string' }, // the generate that fills the database
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    warmup: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    peers: { type: 'string', default: '1' }, // processes of PostGraphile, several separated by commas
    checks: { type: 'string', default: '20' }, // blueprints whose answers are compared before the runs
    account: { type: 'string', default: 'cx-manager' },
    save: { type: 'string' }, // a file for the table
  },
});
const url = process.env.TEST_DATABASE_URL;
assert(url, 'TEST_DATABASE_URL names the database: start this with bench/canvas/run');
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const started = [];

/** Runs a program to its end and hands back what it printed. */
async function run(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (data) => { out += data; });
  const code = await new Promise((done, failed) => child.on('error', failed).on('close', done));
  assert.equal(code, 0, `${program} ${args[0]} failed:\n${out}`);
  return out;
}

/** Starts a server and waits for the address that it prints. */
async function serve(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const address = await new Promise((done, failed) => {
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
      const found = out.match(/listening on (http:\S+)/);
      if (found) done(found[1]);
    });
    child.on('error', failed).on('exit', () => failed(new Error(`${program} ended before it listened:\n${out}`)));
  });
  return { pid: child.pid, address };
}

// ── CPU, in clock ticks of 10 ms: of a process, what it started, and what of that has ended.

function ticksOf(root) {
  const stats = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
      stats.set(Number(pid), { parent: fields[1], own: fields[11] + fields[12], ended: fields[13] + fields[14] });
    } catch {
      // It ended while the list was read.
    }
  }
  const below = (pid) => [...stats].filter(([, stat]) => stat.parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return [root, ...below(root)].reduce((sum, pid) => sum + (stats.get(pid)?.own ?? 0) + (stats.get(pid)?.ended ?? 0), 0);
}

// ── Who is measured.

const query = readFileSync(here('canvas.graphql'), 'utf8');
const peerQuery = readFileSync(here('peer.graphql'), 'utf8');
const bodyOf = (document, key) => JSON.stringify({ query: document.replace(/^#.*\n/gm, ''), variables: { key } });

async function signIn(address) {
  const answer = await fetch(`${address}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: options.account, password: 'blueprint' }),
  });
  assert.equal(answer.status, 200, `${options.account} cannot sign in`);
  return (await answer.json()).accessToken;
}

async function ask(address, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${address}/graphql`, { method: 'POST', headers, body });
  const { data, errors } = await answer.json();
  assert(answer.status === 200 && !errors && data.blueprint, `no answer: ${answer.status} ${JSON.stringify(errors)}`);
  return data.blueprint;
}

async function wrk(server, body, token, seconds) {
  const args = ['-t', '1', '-c', options.connections, '-d', `${seconds}s`, '--timeout', '30s', '-s', here('load.lua'), `${server.address}/graphql`];
  const out = await run('wrk', args, { BODY: body, TOKEN: token ?? '', BLUEPRINTS: String(blueprints) });
  const { requests, seconds: took, bad, bytes, p50, p99 } = JSON.parse(out.match(/RESULT (.*)/)[1]);
  assert(bad === 0 && requests > 0, `${bad} of ${requests} answers were wrong`);
  return { requests, rate: requests / took, bytes: bytes / requests, p50, p99 };
}

async function pgbench(seconds) {
  const args = ['-n', '-M', 'prepared', '-c', options.connections, '-j', '2', '-T', String(seconds), '-D', `blueprints=${blueprints}`];
  const out = await run('pgbench', [...args, '-f', here('flat.sql'), url]);
  assert.match(out, /number of failed transactions: 0 /);
  const requests = Number(out.match(/actually processed: (\d+)/)[1]);
  return { requests, rate: Number(out.match(/tps = ([\d.]+)/)[1]), p50: Number(out.match(/latency average = ([\d.]+)/)[1]) };
}

// ── The same answers from all.

/** How many rows each flat statement gives for a blueprint. */
async function flatRows(number) {
  const script = readFileSync(here('flat.sql'), 'utf8')
    .replace(/^\\set.*$/m, `\\set number ${number}`)
    .replaceAll(':blueprint ', ":'blueprint' ")
    .replace(/^SELECT/gm, '\\echo STATEMENT\nSELECT');
  const file = here('node_modules/.flat.sql');
  writeFileSync(file, script);
  const out = await run('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-f', file, url]);
  return out.split('STATEMENT\n').slice(2).map((rows) => rows.split('\n').filter(Boolean).length);
}

async function compare(ours, peer) {
  const token = await signIn(ours.address);
  for (let count = 0; count < Number(options.checks); count += 1) {
    const number = 1 + Math.floor(Math.random() * blueprints);
    const key = `blueprint-${String(number).padStart(4, '0')}`;
    const mine = comparable(await ask(ours.address, bodyOf(query, key), token));
    const theirs = comparablePeer(await ask(peer.address, bodyOf(peerQuery, key)));
    const differs = difference(mine, theirs);
    assert(!differs, `${key} is not the same from cx-blueprint and from PostGraphile: ${differs}`);
    const touchpoints = mine.phases.flatMap((phase) => phase.touchpoints);
    const sum = (of) => touchpoints.reduce((total, touchpoint) => total + touchpoint[of].length, 0);
    const expected = [touchpoints.length, sum('channels'), sum('responsibilities'), sum('kpis'), mine.transitions.length];
    assert.deepStrictEqual(await flatRows(number), expected, `${key} has other rows in flat SQL`);
  }
  console.error(`${options.checks} random blueprints: the same values from both, as many rows from flat SQL.`);
}

// ── The run.

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const say = (...words) => console.error(...words);

async function measure(name, contender, postmaster) {
  await contender.load(Number(options.warmup));
  await pause(300);
  const [app, database] = [contender.pid && ticksOf(contender.pid), ticksOf(postmaster)];
  const result = await contender.load(Number(options.seconds));
  await pause(300);
  const spent = (before, pid) => ((ticksOf(pid) - before) * 10) / result.requests;
  const figures = { ...result, app: contender.pid && spent(app, contender.pid), database: spent(database, postmaster) };
  say(`${name}: ${figures.rate.toFixed(1)} a second, CPU-ms ${figures.app?.toFixed(1) ?? '–'} + ${figures.database.toFixed(1)}`);
  return figures;
}

function table(results) {
  const round = (number, digits = 1) => (number === undefined ? '–' : number.toFixed(digits));
  const middle = (runs, of) => (runs[0][of] === undefined ? undefined : median(runs.map((one) => one[of])));
  const rate = (name) => middle(results.get(name), 'rate');
  const lines = [...results].map(([name, runs]) => {
    const cells = [round(middle(runs, 'rate')), runs.map((one) => round(one.rate, 0)).join(' '), round(middle(runs, 'app')), round(middle(runs, 'database')),
      round(middle(runs, 'p50'), 0), round(middle(runs, 'p99'), 0), round(middle(runs, 'bytes') && middle(runs, 'bytes') / 1000, 0)];
    return `| ${name} | ${cells.join(' | ')} | ${round(rate('cx-blueprint') / rate(name), 2)} |`;
  });
  return [
    `Canvas, ${options.connections} connections, a random one of ${blueprints} blueprints per request, ${options.rounds} alternating rounds of ${options.seconds} s, ${cpus().length} cores shared with the client.`,
    '',
    '| | requests a second (median) | each round | CPU-ms a request, application | CPU-ms a request, PostgreSQL | p50 ms | p99 ms | kB a response | cx-blueprint is × as fast |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines,
    '',
    '(pgbench: the average latency in the place of p50.)',
  ].join('\n');
}

let blueprints;
try {
  const binary = options.binary;
  assert(binary && options.generator, '--binary names the cx-blueprint to measure, --generator the generate that fills the database');
  say((await run(binary, ['migrate', 'up', '--database-url', url])).trim().split('\n').at(-1));
  say((await run(options.generator, ['--database-url', url, ...size])).trim());
  await run('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', '-f', here('peer.sql'), url]);
  await run('psql', ['-qX', '-c', 'VACUUM ANALYZE', '-c', 'CHECKPOINT', url]);
  const one = async (sql) => (await run('psql', ['-qAtX', '-c', sql, url])).trim();
  blueprints = Number(await one('SELECT count(*) FROM blueprint'));
  const directory = await one('SHOW data_directory');
  const postmaster = Number(readFileSync(`${directory}/postmaster.pid`, 'utf8').split('\n')[0]);

  const key = randomBytes(48).toString('base64');
  // As many at a time as are asked for: by default it refuses what would wait, which the peers let wait. One account takes three places of four.
  const places = String(2 * Number(options.connections));
  const ours = await serve(binary, ['serve', '--listen', '127.0.0.1:0', '--database-url', url, '--concurrent-requests', places], { CX_SIGNING_KEY: key });
  // What a server does by itself after its start, such as looking for findings, is not what is measured.
  for (let before = -1, now = ticksOf(ours.pid); now > before + 5; [before, now] = [now, ticksOf(ours.pid)]) await pause(2000);
  const contenders = new Map([['cx-blueprint', {
    pid: ours.pid,
    load: async (seconds) => wrk(ours, bodyOf(query, 'KEY'), await signIn(ours.address), seconds),
  }]]);
  for (const processes of options.peers.split(',')) {
    const env = { NODE_ENV: 'production', GRAPHILE_ENV: 'production' };
    const peer = await serve(process.execPath, [here('peer.mjs'), url, processes], env);
    const name = processes === '1' ? 'PostGraphile' : `PostGraphile, ${processes} processes`;
    contenders.set(name, { pid: peer.pid, load: (seconds) => wrk(peer, bodyOf(peerQuery, 'KEY'), null, seconds) });
    await compare(ours, peer);
  }
  contenders.set('flat SQL, pgbench', { load: pgbench });

  const results = new Map([...contenders.keys()].map((name) => [name, []]));
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    for (const [name, contender] of contenders) results.get(name).push(await measure(`${round} ${name}`, contender, postmaster));
  }
  const text = table(results);
  console.log(text);
  if (options.save) writeFileSync(options.save, `${text}\n`);
} finally {
  for (const child of started) child.kill();
}
