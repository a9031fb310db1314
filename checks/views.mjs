// Reads the views of a fresh demo on a throwaway PostgreSQL with the real psql, as BI tools do. What they come to is what
// the API says for the same accounts, also soon after a standing has changed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { person } from './client.mjs';

const { TEST_DATABASE_URL: url, CX_BLUEPRINT: program } = process.env;
const PASSWORD = 'a long password of the tool';
const roles = { bi_check_bea: 'bea-analyst', bi_check_jon: 'jon-lead-aftersales' };

function run(command, args, input = '', env = {}) {
  const done = spawnSync(command, args, { input, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 });
  return { code: done.status, out: done.stdout.trim(), told: done.stderr.trim() };
}
const psql = (at, sql, password) => run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', at, '-c', sql], '', { PGPASSWORD: password });
/** What a superuser's statement gives. */
function admin(sql) {
  const { code, out, told } = psql(url, sql);
  assert.equal(code, 0, told);
  return out;
}
const as = (role, sql, password = PASSWORD) => psql(url.replace(/\/\/[^@]*@/, `//${role}@`), sql, password);
/** What a role's statement gives, in cells. */
function cells(role, sql) {
  const { code, out, told } = as(role, sql);
  assert.equal(code, 0, told);
  return out.split('|');
}
const bi = (args, input) => run(program, ['bi', ...args, '--database-url', url], input);

async function within(seconds, holds) {
  for (const end = Date.now() + seconds * 1_000; ; ) {
    if (await holds()) return true;
    if (Date.now() > end) return false;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** What an account's facts come to, by the API. */
async function totals(key) {
  const who = await person(key);
  const rows = [];
  for (let cursor = null, more = true; more; ) {
    const { data } = await who.run('Facts', { after: cursor, filter: {} });
    rows.push(...data.kpiFacts.nodes);
    ({ hasNextPage: more, endCursor: cursor } = data.kpiFacts.pageInfo);
  }
  const measurements = new Set(rows.map((row) => row.measurementId)).size;
  return { rows: rows.length, measurements, weight: rows.reduce((sum, row) => sum + row.rowWeight, 0) };
}
const TOTALS = 'SELECT count(*), count(DISTINCT measurement_id), COALESCE(sum(row_weight), 0) FROM kpi_facts';
function seen(role) {
  const [rows, measurements, weight] = cells(role, TOTALS).map(Number);
  return { rows, measurements, weight };
}
const same = (one, other) =>
  one.rows === other.rows && one.measurements === other.measurements && Math.abs(one.weight - other.weight) < 1e-9;

for (const [role, account] of Object.entries(roles)) {
  const made = bi(['role', 'create', role, '--account', account, '--statement-timeout', '20s'], `${PASSWORD}\n`);
  assert.equal(made.code, 0, made.told);
}
after(() => {
  for (const role of Object.keys(roles)) bi(['role', 'drop', role]);
});

test('a role signs in with its password and with no other', async () => {
  const lines = Object.keys(roles).map((role) => `('host all ${role} 127.0.0.1/32 scram-sha-256')`);
  const rest = "('host all all 127.0.0.1/32 trust'), ('local all all trust')";
  admin(`COPY (SELECT * FROM (VALUES ${lines.join(', ')}, ${rest}) AS line) TO '${admin('SHOW hba_file')}'`);
  admin('SELECT pg_reload_conf()');
  assert.ok(await within(10, () => as('bi_check_bea', 'SELECT 1', 'a wrong password').code !== 0), 'any password will do');
  assert.match(as('bi_check_bea', 'SELECT 1', 'a wrong password').told, /password authentication failed/);
  assert.deepEqual(cells('bi_check_bea', 'SELECT 1'), ['1']);
});

for (const [role, account] of Object.entries(roles)) {
  test(`${account}'s facts come to the same in SQL and in GraphQL`, async () => {
    const said = await totals(account);
    assert.ok(said.rows > 0);
    assert.ok(same(seen(role), said), `${JSON.stringify(seen(role))} and ${JSON.stringify(said)}`);
  });
}

test('of what is not a view nothing is read, and nothing is changed', () => {
  for (const sql of ['TABLE public.account', 'TABLE public.bi_reach', 'CREATE TABLE mine (one integer)', "UPDATE kpis SET kpi_name = 'mine'"]) {
    const { code, told } = as('bi_check_bea', sql);
    assert.notEqual(code, 0, sql);
    assert.match(told, /permission denied|cannot|read-only/, sql);
  }
  assert.equal(as('bi_check_bea', 'SHOW statement_timeout').out, '20s');
});

test('a running server notices by itself that a lead leads more', async () => {
  const before = await totals('jon-lead-aftersales');
  const gus = await person('gus-admin');
  const id = async (root, key) => (await gus.ask(`query($key: String!) { thing: ${root}(by: { key: $key }) { id } }`, { key })).data.thing.id;
  const input = { accountId: await id('account', 'jon-lead-aftersales'), departmentId: await id('department', 'b-finance'), role: 'LEAD' };
  const granted = await gus.ask(
    'mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { message } } }',
    { input },
  );
  assert.deepEqual(granted.data.membershipGrant.userErrors, []);
  const said = await totals('jon-lead-aftersales');
  assert.ok(said.rows > before.rows, 'there is more to see');
  assert.ok(await within(10, () => same(seen('bi_check_jon'), said)), JSON.stringify([seen('bi_check_jon'), said]));
});

test('a dropped role signs in no more', () => {
  const dropped = bi(['role', 'drop', 'bi_check_bea']);
  assert.equal(dropped.code, 0, dropped.told);
  assert.notEqual(as('bi_check_bea', 'SELECT 1').code, 0);
  assert.match(bi(['role', 'list']).out, /^bi_check_jon\tjon-lead-aftersales\tmade \d{4}-\d\d-\d\d$/);
});
