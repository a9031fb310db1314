// Reads OData as a TypeScript program does that odata2ts wrote from $metadata: the types compile, and each set, followed
// from page to page, has the rows of the feed. What the program asks is checked here against the same rows.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SERVER, person } from './client.mjs';

const ROOT = `${SERVER}/bi/odata/v4`;
// Small, to have many pages.
const PAGE = 25;

const bea = await person('bea-analyst');
const jon = await person('jon-lead-aftersales');
const bearer = (who) => ({ authorization: `Bearer ${who.token}` });
const fetched = async (who, path) => {
  const answer = await fetch(`${SERVER}${path}`, { headers: bearer(who), signal: AbortSignal.timeout(20_000) });
  assert.equal(answer.status, 200, path);
  return answer;
};

// A program of somebody who knows the service by its types alone: it does not compile where a column is missing, or of
// another type, or may be null where it says that it is not.
const PROGRAM = `
import { FetchClient } from "@odata2ts/http-client-fetch";
import { BiService } from "./service/BiService";

export const connect = (root: string, headers: Record<string, string>) => new BiService(new FetchClient({ headers }), root);

export async function missed(bi: BiService<FetchClient>, from: string, to: string) {
  const answer = await bi.kpi_facts().query((builder, fact) =>
    builder
      .select("row_id", "kpi_key", "measured_on", "value", "target", "sample_size", "is_delivering", "department_name")
      .filter(fact.measured_on.ge(from), fact.measured_on.lt(to), fact.state.eq("MISSED"))
      .orderBy(fact.value.desc(), fact.row_id.asc())
      .count());
  const all: number = answer.data["@odata.count"] ?? NaN;
  return {
    all,
    rows: answer.data.value.map((row) => {
      const id: string = row.row_id;
      const key: string = row.kpi_key;
      const day: string = row.measured_on;
      const value: number = row.value;
      const target: number | null = row.target;
      const sample: number | null = row.sample_size;
      const delivers: boolean = row.is_delivering;
      const department: string | null = row.department_name;
      return { id, key, day, value, target, sample, delivers, department };
    }),
  };
}
`;

const dir = mkdtempSync(join(tmpdir(), 'cx-odata-'));
// However this ends: what is written may not compile, before there is a test.
process.on('exit', () => rmSync(dir, { recursive: true }));
// What is written there finds the packages as what stands here does.
const packages = fileURLToPath(new URL('./node_modules', import.meta.url));
symlinkSync(packages, join(dir, 'node_modules'));
const run = (script, ...args) => execFileSync(process.execPath, [join(packages, script), ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
const { value: sets } = await (await fetched(bea, '/bi/odata/v4/')).json();
writeFileSync(join(dir, 'metadata.xml'), await (await fetched(bea, '/bi/odata/v4/$metadata')).text());
const compilerOptions = { target: 'es2022', module: 'commonjs', strict: true, skipLibCheck: true, types: [], outDir: 'built' };
writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
writeFileSync(join(dir, 'program.ts'), PROGRAM);
run('@odata2ts/odata2ts/lib/run-cli.js', '--source', 'metadata.xml', '--output', 'service', '--mode', 'service', '--emit-mode', 'ts', '--service-name', 'Bi');

test('what is written from $metadata compiles, and a program on it', () => run('typescript/bin/tsc', '--project', '.'));

const require = createRequire(join(dir, 'built', 'program.js'));
const program = () => require('./program.js');
const service = (who, headers) => program().connect(ROOT, { ...bearer(who), ...headers });

/** All rows of a set, page by page, with the links that led to them. */
async function readAll(who, set, ask, headers = { prefer: `odata.maxpagesize=${PAGE}` }) {
  const { client } = service(who, headers).__base;
  const rows = [];
  const links = [];
  let page = (await service(who, headers)[set]().query(ask)).data;
  for (;;) {
    assert.equal(page['@odata.context'].split('(')[0], `${ROOT}/$metadata#${set}`);
    rows.push(...page.value);
    const next = page['@odata.nextLink'];
    if (!next) return { rows, links, count: page['@odata.count'] };
    assert.ok(page.value.length > 0 && !links.includes(next), 'a page that leads nowhere');
    links.push(next);
    page = (await client.get(next)).data;
  }
}
/** The same rows from the feed, in its order. */
async function fed(who, set) {
  const text = await (await fetched(who, `/bi/v1/${set}.ndjson`)).text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}
const by = (key) => (one, other) => (one[key] < other[key] ? -1 : 1);

test('the service document names every set that the types have', () => {
  const { BiService } = require('./service/BiService.js');
  const typed = Object.getOwnPropertyNames(BiService.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(typed.sort(), sets.map(({ name }) => name).sort());
});

for (const { name } of sets) {
  for (const who of [bea, jon]) {
    test(`${name}, page by page, is what the feed gives ${who.key}`, async () => {
      const [read, wanted] = await Promise.all([readAll(who, name), fed(who, name)]);
      const q = new (require('./service/QBi.js')[`Q${name}`])();
      const { QEntityPath } = require('@odata2ts/odata-query-objects');
      const columns = Object.keys(q).filter((path) => !(q[path] instanceof QEntityPath) && typeof q[path] === 'object');
      for (const row of read.rows) assert.deepEqual(Object.keys(row), columns);
      const key = columns[0];
      assert.deepEqual(read.rows.toSorted(by(key)), wanted.toSorted(by(key)));
      assert.equal(read.links.length, Math.max(0, Math.ceil(wanted.length / PAGE) - 1));
      const counted = await readAll(who, name, (builder) => builder.count().top(0));
      assert.deepEqual([counted.count, counted.rows], [wanted.length, []]);
    });
  }
}

test('facts come to what GraphQL says', async () => {
  for (const who of [bea, jon]) {
    const said = [];
    for (let after = null, more = true; more; ) {
      const { data } = await who.run('Facts', { after, filter: {} });
      said.push(...data.kpiFacts.nodes);
      ({ hasNextPage: more, endCursor: after } = data.kpiFacts.pageInfo);
    }
    const { rows } = await readAll(who, 'kpi_facts');
    assert.ok(said.length > 0);
    const plain = (id, value, weight, state) => ({ id, value, weight, state });
    assert.deepEqual(
      rows.map((row) => plain(row.row_id, row.value, row.row_weight, row.state)).sort(by('id')),
      said.map((row) => plain(row.rowId, row.value, row.rowWeight, row.state)).sort(by('id')),
    );
  }
});

test('departments are those of GraphQL, each by its key too', async () => {
  const { data } = await bea.ask('{ departments(first: 200) { nodes { id key name } } }');
  const { rows } = await readAll(bea, 'departments');
  const plain = rows.map((row) => ({ id: row.department_id, key: row.department_key, name: row.department_name }));
  assert.deepEqual(plain.sort(by('id')), data.departments.nodes.sort(by('id')));
  const { data: one } = await service(bea).departments(plain[0].id).query();
  const { '@odata.context': context, ...row } = one;
  assert.equal(context, `${ROOT}/$metadata#departments/$entity`);
  assert.deepEqual(row, rows.find((row) => row.department_id === plain[0].id));
});

test('the typed program gets what it selects, filters, orders and counts', async () => {
  const facts = (await fed(bea, 'kpi_facts')).filter((row) => row.state === 'MISSED' && row.measured_on >= '2025-02-01' && row.measured_on < '2025-04-01');
  const { all, rows } = await program().missed(service(bea), '2025-02-01', '2025-04-01');
  assert.ok(rows.length > 0 && all === rows.length);
  const wanted = facts.toSorted((one, other) => other.value - one.value || (one.row_id < other.row_id ? -1 : 1));
  assert.deepEqual(
    rows,
    wanted.map((row) => ({
      id: row.row_id, key: row.kpi_key, day: row.measured_on, value: row.value, target: row.target,
      sample: row.sample_size, delivers: row.is_delivering, department: row.department_name,
    })),
  );
});

test('what the library can ask is understood', async () => {
  const all = await fed(bea, 'kpi_facts');
  const { kpi_key: key, touchpoint_name: place } = all.find((row) => row.touchpoint_name);
  const within = (row) => row.touchpoint_name ?? '';
  const asked = [
    [(q) => q.role.eq('ACCOUNTABLE'), (row) => row.role === 'ACCOUNTABLE'],
    [(q) => q.role.ne('ACCOUNTABLE'), (row) => row.role !== 'ACCOUNTABLE'],
    [(q) => q.target.isNull(), (row) => row.target === null],
    [(q) => q.target.isNotNull(), (row) => row.target !== null],
    [(q) => q.role.in('ACCOUNTABLE', 'INFORMED'), (row) => ['ACCOUNTABLE', 'INFORMED'].includes(row.role)],
    [(q) => q.value.gt(12.5).and(q.is_delivering.eq(true)), (row) => row.value > 12.5 && row.is_delivering],
    [(q) => q.kpi_key.eq(key).or(q.value.le(1)), (row) => row.kpi_key === key || row.value <= 1],
    [(q) => q.kpi_key.eq(key).not(), (row) => row.kpi_key !== key],
    [(q) => q.touchpoint_name.startsWith(place.slice(0, 3)), (row) => within(row).startsWith(place.slice(0, 3))],
    [(q) => q.touchpoint_name.endsWith(place.slice(-3)), (row) => within(row).endsWith(place.slice(-3))],
    [(q) => q.touchpoint_name.toLower().contains(place.slice(1).toLowerCase()), (row) => within(row).toLowerCase().includes(place.slice(1).toLowerCase())],
    [(q) => q.touchpoint_name.length().gt(12), (row) => within(row).length > 12],
    [(q) => q.measured_on.month().eq(2), (row) => row.measured_on.slice(5, 7) === '02'],
    [(q) => q.department_name.eq('Courses & Events'), (row) => row.department_name === 'Courses & Events'],
    // The library writes an apostrophe as it is; whoever uses it doubles it.
    [(q) => q.department_name.eq("Nobody''s #1 + 100%"), () => false],
  ];
  for (const [ask, holds] of asked) {
    const { rows, count } = await readAll(bea, 'kpi_facts', (builder, q) => builder.filter(ask(q)).count().select('row_id'));
    const wanted = all.filter(holds).map((row) => row.row_id);
    assert.deepEqual(rows.map((row) => row.row_id).sort(), wanted.sort(), ask.toString());
    assert.equal(count, wanted.length, ask.toString());
  }
});

test('skip and top cut the order, over pages too', async () => {
  const all = (await fed(bea, 'kpi_facts')).toSorted((one, other) => one.value - other.value || (one.row_id < other.row_id ? -1 : 1));
  const { rows, links } = await readAll(bea, 'kpi_facts', (builder, q) => builder.orderBy(q.value.asc(), q.row_id.asc()).skip(30).top(60).select('row_id'));
  assert.deepEqual(rows.map((row) => row.row_id), all.slice(30, 90).map((row) => row.row_id));
  assert.equal(links.length, Math.ceil(60 / PAGE) - 1);
});

test('a series that is asked for no days begins with the first value', async () => {
  const { rows: measured } = await readAll(bea, 'kpi_measurements');
  const first = measured.map((row) => row.measured_on).sort()[0];
  for (const grain of ['week', 'month', 'quarter', 'year']) {
    const set = `kpi_series_${grain}`;
    const whole = await readAll(bea, set, (builder, q) => builder.filter(q.period_start.ge(`${first.slice(0, 4)}-01-01`)));
    assert.ok(whole.rows.length > 0, set);
    assert.deepEqual((await readAll(bea, set)).rows, whole.rows, set);
  }
});

test('a refusal is told in words', async () => {
  const refused = (made) => made.then(() => assert.fail('it was answered'), (error) => [error.status, error.message]);
  const [unsupported, words] = await refused(service(bea).kpi_facts().query((builder) => builder.expand('kpi')));
  assert.equal(unsupported, 501);
  assert.match(words, /expand/i);
  assert.equal((await refused(service(bea).departments('dep_none').query()))[0], 404);
  assert.equal((await refused(service({ token: 'nonsense' }).departments().query()))[0], 401);
});
