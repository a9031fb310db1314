// Measures kpiSeries beside SQL, a day of kpi_facts beside `psql \copy`, and the views by timestamps beside dates, on the database named by TEST_DATABASE_URL, which it fills. Judges no figure; fails on any wrong answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals: size } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: 'string' }, // the cx-blueprint to measure
    generator: { type: 'string' }, // the generate that fills the database
    rounds: { type: 'string', default: '5' },
    save: { type: 'string' }, // a file for the table
  },
});
const url = process.env.TEST_DATABASE_URL;
assert(url, 'TEST_DATABASE_URL names the database: start this with bench/bi/run');
const rounds = Number(options.rounds);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Runs a program to its end and hands back what it printed. */
async function run(program, args, env = {}, input = '') {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const out = [];
  child.stdout.on('data', (data) => out.push(data));
  const code = await new Promise((done, failed) => child.on('error', failed).on('close', done));
  assert.equal(code, 0, `${program} ${args[0]} failed`);
  return Buffer.concat(out).toString();
}

const sql = (text, variables = {}) =>
  run('psql', [url, '-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1', ...Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`])], {}, `${text}\n`);

/** Milliseconds that a thing takes, the middle one of several times. */
async function middle(act) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin = performance.now();
    await act();
    times.push(performance.now() - begin);
  }
  return times.sort((one, other) => one - other)[Math.floor(times.length / 2)];
}

/** Megabytes that a process holds, now and at the most. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+) kB`))[1]) / 1024;
  return { now: of('VmRSS'), most: of('VmHWM') };
}

const database = ['--database-url', url];
console.error('bench/bi: making the organisation');
await run(options.binary, ['migrate', 'up', ...database]);
await run(options.generator, [...database, ...size]);
await sql('ANALYZE');

const child = spawn(options.binary, ['serve', ...database, '--listen', '127.0.0.1:0', '--request-seconds', '120'], {
  env: { ...process.env, CX_SIGNING_KEY: randomBytes(48).toString('base64'), RUST_LOG: 'warn' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.on('exit', () => child.kill());
const address = await new Promise((done, failed) => {
  let out = '';
  child.stdout.on('data', (data) => {
    out += data;
    const found = out.match(/listening on (http:\S+)/);
    if (found) done(found[1]);
  });
  child.on('exit', () => failed(new Error('the server ended')));
});
const signIn = await fetch(`${address}/auth/login`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ login: 'analyst', password: 'blueprint' }),
});
assert.equal(signIn.status, 200, await signIn.clone().text());
const authorization = `Bearer ${(await signIn.json()).accessToken}`;

async function ask(query, variables) {
  const answer = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  assert(!errors, JSON.stringify(errors));
  return data;
}

/** Reads a feed to its end, and hands back how many bytes and lines it had. */
async function pull(path) {
  const answer = await fetch(`${address}${path}`, { headers: { authorization } });
  assert.equal(answer.status, 200, path);
  let [bytes, lines] = [0, 0];
  for await (const chunk of answer.body) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return { bytes, lines };
}

const table = [];
const say = (...cells) => { table.push(cells); console.error(cells.join(' | ')); };
const idle = memory(child.pid);

// ── Series: the KPIs of each kind that has a value in common, by department × phase × month of the last year.

const last = (await sql('SELECT max(measured_on) FROM measurement')).trim();
const to = (await sql(`SELECT (date_trunc('month', date '${last}') + interval '1 month')::date`)).trim();
const from = (await sql(`SELECT (date '${to}' - interval '1 year')::date`)).trim();
const kinds = (await sql(`SELECT unit, aggregation, scope, direction, COALESCE(currency, '-'), string_agg(key, ',' ORDER BY key), kpi_type
  FROM kpi WHERE aggregation <> 'LAST' GROUP BY 1, 2, 3, 4, 5, 7 ORDER BY 1, 2, 3`)).trim().split('\n').map((line) => {
  const [unit, aggregation, scope, , , keys, type] = line.split('\t');
  const scale = aggregation === 'RATIO' && (unit === 'PERCENT' || type === 'NPS') ? 100 : 1;
  return { name: `${unit} ${aggregation} ${type} ${scope}`, aggregation, scale, keys: keys.split(',') };
});
const series = `query($input: KpiSeriesInput!) { kpiSeries(input: $input, first: 200) {
  nodes { periodStart departmentId phaseId value measurements } pageInfo { hasNextPage } } }`;
const input = ({ keys }) => ({ kpis: keys, dimensions: ['DEPARTMENT', 'PHASE'], grain: 'MONTH', timeRange: { from, to } });
const rolled = readFileSync(here('rolled.sql'), 'utf8').replace(/^--.*\n/gm, '');
const exact = readFileSync(here('exact.sql'), 'utf8').replace(/^--.*\n/gm, '');

const begin = performance.now();
for (const kind of kinds) await ask(series, { input: input(kind) });
const cold = performance.now() - begin;
say('what', 'cx-blueprint', 'SQL', 'ratio');
let [ours, theirs] = [0, 0];
for (const kind of kinds) {
  const variables = { keys: kind.keys.join(','), from, to };
  const served = await middle(() => ask(series, { input: input(kind) }));
  const counted = await middle(() => sql(`SELECT count(*) FROM (${rolled}) AS rolled;`, variables));
  [ours, theirs] = [ours + served, theirs + counted];
  say(`kpiSeries, ${kind.keys.length} KPIs, ${kind.name}`, `${served.toFixed(1)} ms`, `${counted.toFixed(0)} ms`, `${(counted / served).toFixed(0)}`);
}
say('kpiSeries, all kinds', `${ours.toFixed(1)} ms`, `${theirs.toFixed(0)} ms`, `${(theirs / ours).toFixed(0)}`);
say('the first time after a start', `${cold.toFixed(0)} ms`, '', '');

// The answers are the same, group by group.
for (const kind of kinds.slice(0, 3)) {
  const query = `from=${from}&to=${to}&grain=month&by=department,phase&kpi=${kind.keys.join(',')}&columns=department_id,phase_id,period_start,measurements,value`;
  const answer = await fetch(`${address}/bi/v1/kpi_series.csv?${query}`, { headers: { authorization } });
  const points = new Map((await answer.text()).trim().split('\r\n').slice(1).map((line) => {
    const [department, phase, month, count, value] = line.split(',');
    return [`${department} ${phase} ${month}`, { count: Number(count), value }];
  }));
  const rows = (await sql(`${exact};`, { keys: kind.keys.join(','), from, to, aggregation: kind.aggregation, scale: kind.scale })).trim().split('\n');
  assert.equal(points.size, rows.length, `${kind.name}: as many points as groups`);
  for (const row of rows) {
    const [department, phase, month, count, value] = row.split('\t');
    const id = (prefix, uuid) => `${prefix}_${uuid.replaceAll('-', '')}`;
    const point = points.get(`${id('dep', department)} ${id('pha', phase)} ${month}`);
    assert(point, `${kind.name}: ${row}`);
    assert.equal(point.count, Number(count), `${kind.name}: ${row}`);
    if (value !== '') assert(Math.abs(Number(point.value) - Number(value)) <= 1e-9 * Math.max(1, Math.abs(Number(value))), `${kind.name}: ${row} ${point.value}`);
  }
  say(`the same ${rows.length} points as SQL`, kind.name, '', '');
}

// ── A day of kpi_facts as CSV.

const day = (await sql(`SELECT date '${last}' - 40`)).trim();
const next = (await sql(`SELECT date '${day}' + 1`)).trim();
const copied = join(tmpdir(), `cx-bench-${process.pid}.csv`);
const text = readFileSync(here('day.sql'), 'utf8').replace(/^--.*\n/gm, '').replaceAll(":'day'", `'${day}'`).replaceAll('\n', ' ');
const path = `/bi/v1/kpi_facts.csv?from=${day}&to=${next}`;
const pulled = await pull(path);
const feed = await middle(() => pull(path));
const copy = await middle(() => run('psql', [url, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', `\\copy (${text}) TO '${copied}' WITH (FORMAT csv, HEADER)`]));
const lines = readFileSync(copied, 'latin1').split('\n').length - 1;
assert.equal(pulled.lines, lines, 'as many rows as SQL');
say(`kpi_facts of a day, ${lines - 1} rows, ${(pulled.bytes / 1e6).toFixed(0)} MB`, `${feed.toFixed(0)} ms`, `${copy.toFixed(0)} ms (\\copy)`, (copy / feed).toFixed(2));

// ── Three days through the views, as tools that know timestamps alone ask for them.

const password = randomBytes(12).toString('hex');
await run(options.binary, ['bi', 'role', 'create', 'bench_reader', '--account', 'analyst', ...database], {}, `${password}\n`);
const reader = new URL(url);
[reader.username, reader.password] = ['bench_reader', password];
const end = (await sql(`SELECT date '${day}' + 3`)).trim();
const facts = (condition) => run('psql', [reader.href, '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', `SELECT count(*), sum(value) FROM bi.kpi_facts WHERE ${condition}`]);
const byDate = `measured_on >= date '${day}' AND measured_on < date '${end}'`;
const [figures, dated] = [await facts(byDate), await middle(() => facts(byDate))];
say(`kpi_facts of three days through the view, ${figures.split('|')[0]} rows, by date`, `${dated.toFixed(0)} ms`, '', '');
for (const [name, condition] of Object.entries({
  timestamptz: `measured_on >= timestamptz '${day}T00:00:00Z' AND measured_on < timestamptz '${end}T00:00:00Z'`,
  timestamp: `measured_on >= timestamp '${day}' AND measured_on < timestamp '${end}'`,
  'as Cube asks': `measured_on >= '${day}T00:00:00.000Z'::timestamptz AND measured_on <= '${new Date(Date.parse(end) - 1).toISOString()}'::timestamptz`,
  'date + interval': `measured_on >= date '${day}' + interval '0 days' AND measured_on < date '${day}' + interval '3 days'`,
})) {
  assert.equal(await facts(condition), figures, `${name}: the same rows as by date`);
  const timed = await middle(() => facts(condition));
  say(`the same by ${name}`, `${timed.toFixed(0)} ms`, '', `${(timed / dated).toFixed(2)} times by date`);
}

const held = memory(child.pid);
say('memory of the server, idle · now · at the most', `${idle.now.toFixed(0)} · ${held.now.toFixed(0)} · ${held.most.toFixed(0)} MiB`, '', `${(held.most - idle.now).toFixed(0)} above idle`);
await run('rm', ['-f', copied]);

const lineOf = (cells) => `| ${cells.join(' | ')} |`;
const told = [`${cpus().length} cores, ${cpus()[0].model}`, '', lineOf(table[0]), lineOf(table[0].map(() => '---')), ...table.slice(1).map(lineOf), ''].join('\n');
console.log(told);
if (options.save) writeFileSync(options.save, told);
process.exit(0);
