// Climbs for the dearest request that a server answers: seconds of its CPU and MiB of its memory, on blueprints as dense as they may be.
// `checks/climb` runs it; it ends with 1 where a request takes more than $CPU seconds
// or $MIB, or where a one-row query or /healthz waits longer than $WAIT ms at p99 while two of the dearest run.
import { readFileSync } from 'node:fs';
import { GRAPHQL, accessToken } from './client.mjs';

const pid = process.argv[2];
const [CPU, MIB, WAIT, ROUNDS] = [process.env.CPU ?? 1, process.env.MIB ?? 150, process.env.WAIT ?? 100, process.env.ROUNDS ?? 300].map(Number);
const authorization = `Bearer ${await accessToken('ann-cx')}`;

/** Seconds of CPU that the server has taken; the clock of /proc ticks a hundred times a second. */
function cpu() {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function resident() {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

async function ask(query, variables) {
  const body = JSON.stringify({ query, variables });
  const answer = await fetch(GRAPHQL, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body });
  return answer.json();
}

/** What one request takes, and the most memory that is seen meanwhile. */
async function measure(query, variables) {
  const [begun, before] = [cpu(), resident()];
  let most = before;
  const watch = setInterval(() => { most = Math.max(most, resident()); }, 5);
  const answer = await ask(query, variables);
  clearInterval(watch);
  return { cpu: cpu() - begun, mib: Math.max(most, resident()) - before, code: answer.errors?.[0]?.extensions?.code ?? 'answered', query, variables };
}

function document(key, touchpoints, transitions) {
  return {
    format: 'cx-blueprint/blueprint@1', key, title: key, subject: 'CUSTOMER', state: 'CURRENT', visibility: 'ORGANISATION', persona, ownerDepartment: department,
    phases: [{ key: 'P', name: 'all', stage: 'GOAL' }],
    touchpoints: Array.from({ length: touchpoints }, (_, at) => ({ key: `T${at}`, phase: 'P', name: `step ${at}`, lane: 'FRONTSTAGE', note: 'n'.repeat(1_500) })),
    transitions: transitions.map(([from, to]) => ({ from: `T${from}`, to: `T${to}`, kind: 'BRANCH' })),
  };
}

const known = (await ask('{ departments(first: 1) { nodes { key } } personas(first: 20) { nodes { key subject } } }')).data;
const department = known.departments.nodes[0].key;
const persona = known.personas.nodes.find((one) => one.subject === 'CUSTOMER').key;
const range = (length) => Array.from({ length }, (_, at) => at);
const pairs = [...range(499).map((at) => [at, at + 1]), ...range(500).map((at) => [at, 499 - at]), ...range(500).map((at) => [at, (at + 250) % 500])];
const dense = [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
for (const key of range(8).map((at) => `climb-${at}`)) {
  if ((await ask(`{ blueprint(by: { key: "${key}" }) { id } }`)).data.blueprint) continue;
  const input = { document: document(key, 500, dense) };
  const made = await ask('mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { message } } }', { input });
  const faults = made.errors ?? made.data.blueprintImport.userErrors;
  if (faults.length) throw new Error(JSON.stringify(faults));
}

const inner = (type) => (type.ofType ? { ...inner(type.ofType), list: type.kind === 'LIST' || inner(type.ofType).list } : { name: type.name, kind: type.kind, list: false });
const told = await ask(`{ __schema { queryType { name } types { name kind fields { name args { name defaultValue type { kind } }
  type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }`);
const types = new Map(told.data.__schema.types.map((type) => [type.name, (type.fields ?? [])
  .filter((field) => !field.args.some((arg) => arg.type.kind === 'NON_NULL' && arg.defaultValue === null))
  .map((field) => ({ ...field, kind: inner(field.type).kind, list: inner(field.type).list }))]));

let seed = 11;
const below = (most) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed % Math.max(most, 1); };
const pick = (list) => list[below(list.length)];

function selection(of, depth, width) {
  const fields = types.get(of) ?? [];
  const leaves = fields.filter((field) => ['SCALAR', 'ENUM'].includes(field.kind));
  const deeper = fields.filter((field) => field.kind === 'OBJECT');
  const chosen = leaves.length ? range(1 + below(3)).map((at) => `l${at}: ${pick(leaves).name}`) : [];
  for (const at of depth > 0 && deeper.length ? range(1 + below(width)) : []) {
    const lists = deeper.filter((field) => field.list);
    const field = pick(lists.length && below(3) ? lists : deeper);
    const first = field.args.some((arg) => arg.name === 'first') ? pick(['', '(first: 10)', '(first: 200)']) : '';
    chosen.push(`d${at}: ${field.name}${first} { ${selection(inner(field.type).name, depth - 1, width)} }`);
  }
  return chosen.join(' ') || '__typename';
}

const fixed = [
  ...['leftOut', 'joints { end }', 'joints { from { key note } to { key } leftOut { key note } }'].map((inside) => `{ blueprint(by: { key: "climb-0" }) { ${range(29).map((at) => `a${at}: view(simplifiedTo: ${240 + at}) { ${inside} }`).join(' ')} } }`),
  ...['attention { share }', 'assumptions { share }', 'document', 'sheet', 'findings { errors }', 'phases { touchpoints { note } }', 'transitions { from { note } to { note } }']
    .flatMap((inside) => [1, 5, 15, 50].map((first) => `{ blueprints(first: ${first}) { nodes { ${inside} } } }`)),
  ...range(4).map((at) => `{ blueprint(by: { key: "climb-0" }) { ${range(7 * (at + 1)).map((one) => `a${one}: document`).join(' ')} } }`),
  `{ departments(first: 200) { nodes { ${range(20).map((at) => `a${at}: scorecard(includeDescendants: true) { met }`).join(' ')} } } }`,
  `{ departments(first: 30) { nodes { a: scorecard { met } b: kpis(first: 1) { nodes { id } } } } }`,
];
const aliases = (many, field) => range(many).map((at) => `a${at}: ${field}`).join(' ');
const steps = (await ask('{ blueprint(by: { key: "climb-0" }) { id sheet phases { touchpoints { id } } } }')).data.blueprint;
const touchpoints = steps.phases[0].touchpoints.map((one) => one.id);
const answers = range(1_000).map((at) => ({ touchpointId: touchpoints[at % 500], scale: 'CSAT', score: 4, answeredOn: '2025-03-01', respondent: `r${at}` }));
/** What is multiplied by what is sent beside the document: long arguments, and mutations that read much. */
const sent = [
  [(many) => `query($ids: [ID!]!) { ${aliases(many, 'nodes(ids: $ids) { __typename }')} }`, { ids: touchpoints.slice(0, 100) }],
  [(many) => `query($filter: TouchpointFilter) { ${aliases(many, 'touchpoints(first: 200, filter: $filter) { totalCount nodes { key note } }')} }`, { filter: { blueprintId: steps.id } }],
  [(many) => `query($from: BlueprintVersion!) { ${aliases(many, 'blueprintDiff(from: $from, to: $from) { part kind identity }')} }`, { from: { blueprintId: steps.id } }],
  [(many) => `query($id: ID!) { ${aliases(many, 'touchpointArchiveImpact(id: $id) { newlyUnreachable(first: 200) { nodes { key } } }')} }`, { id: touchpoints[0] }],
  [(many) => `mutation($input: BlueprintImportInput!) { ${aliases(many, 'blueprintImport(input: $input) { changes { part kind identity } userErrors { code } }')} }`, { input: { document: document('climb-0', 500, []), dryRun: true, prune: true } }],
  [(many) => `mutation($input: BlueprintSheetImportInput!) { ${aliases(many, 'blueprintSheetImport(input: $input) { changes { part kind identity } userErrors { code } }')} }`, { input: { blueprint: { key: 'climb-0' }, csv: steps.sheet, dryRun: true } }],
  [(many) => `mutation($input: FeedbackRecordInput!) { ${aliases(many, 'feedbackRecord(input: $input) { userErrors { code } }')} }`, { input: { feedback: answers } }],
].flatMap(([query, variables]) => [1, 4, 9, 30].map((many) => [query(many), variables]));

/** What a field leads to: of a connection, what one of its nodes is. */
function target(field) {
  const of = inner(field.type).name;
  const nodes = (types.get(of) ?? []).find((one) => one.name === 'nodes');
  return nodes ? inner(nodes.type).name : of;
}

/** A field with what is inside of it, of a connection as many as are asked for. */
function edge(field, first, inside) {
  const args = field.args.some((arg) => arg.name === 'first') ? `(first: ${first})` : '';
  const nodes = (types.get(inner(field.type).name) ?? []).some((one) => one.name === 'nodes');
  return `${field.name}${args} { ${nodes ? `nodes { ${inside} }` : inside} }`;
}

const leaves = (of) => ['__typename', ...(types.get(of) ?? []).filter((field) => ['SCALAR', 'ENUM'].includes(field.kind)).map((field) => field.name)].join(' ');
const objects = (of) => (types.get(of) ?? []).filter((field) => field.kind === 'OBJECT');

/** Every edge of every list that the schema begins with, few and many, once and under many names. */
const walked = objects('Query').flatMap((root) => objects(target(root)).flatMap((field) => [[5, 1], [30, 1], [30, 20], [200, 1]].map(([first, many]) => {
  const inside = leaves(target(field));
  return `{ ${edge(root, first, range(many).map((at) => `a${at}: ${edge(field, first, inside)}`).join(' '))} }`;
})));

let dearest = [];
const note = async (query, variables) => {
  if (query.length > 32_768) return;
  dearest.push(await measure(query, variables));
  dearest.sort((one, other) => other.cpu - one.cpu);
};
for (const query of [...fixed, ...walked]) await note(query);
for (const [query, variables] of sent) await note(query, variables);
for (const round of range(ROUNDS)) {
  const inside = selection('Blueprint', 1 + (round % 7), 1 + (round % 3));
  await note(pick([`{ blueprint(by: { key: "climb-0" }) { ${inside} } }`, `{ blueprints(first: ${pick([1, 4, 20])}) { nodes { ${inside} } } }`, `{ ${selection('Query', 2 + (round % 6), 2)} }`]));
}
const largest = [...dearest].sort((one, other) => other.mib - one.mib);
for (const one of [...dearest.slice(0, 5), ...largest.slice(0, 3)]) {
  console.log(`${one.cpu.toFixed(2)} s  ${one.mib.toFixed(0)} MiB  ${one.code}  ${one.query.slice(0, 200)}`);
}

const waits = { healthz: [], row: [] };
const running = dearest.slice(0, 2).map(async ({ query, variables }) => { for (const _ of range(5)) await ask(query, variables); });
let over = false;
Promise.all(running).then(() => { over = true; });
while (!over) {
  for (const [name, wait] of [['healthz', () => fetch(new URL('/healthz', GRAPHQL)).then((answer) => answer.text())], ['row', () => ask('{ department(by: { key: "union" }) { name } }')]]) {
    const begun = performance.now();
    await wait();
    waits[name].push(performance.now() - begun);
  }
}
const p99 = (list) => list.sort((one, other) => one - other)[Math.floor(list.length * 0.99)] ?? 0;
console.log(`beside two of them: /healthz p99 ${p99(waits.healthz).toFixed(0)} ms of ${waits.healthz.length}, one row p99 ${p99(waits.row).toFixed(0)} ms`);
process.exit(dearest[0].cpu > CPU || largest[0].mib > MIB || p99(waits.healthz) > WAIT || p99(waits.row) > WAIT ? 1 : 0);
