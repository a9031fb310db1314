// What clients with a cache make of the server, each set up as its manual says: Apollo Client, and urql with Graphcache. What they hold must be what a plain fetch gives, and they must have nothing to warn of.
// What is changed here is put back: this can run again on the same demo, and after the other checks.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, test } from 'node:test';
import { format } from 'node:util';
import * as apollo from '@apollo/client/core';
import { loadDevMessages, loadErrorMessages } from '@apollo/client/dev';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import * as urql from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { getIntrospectionQuery, parse } from 'graphql';
import { GRAPHQL, operations, person } from './client.mjs';

// Without these Apollo warns in numbers.
loadDevMessages();
loadErrorMessages();
const warnings = [];
for (const way of ['warn', 'error']) console[way] = (...words) => warnings.push(format(...words));
afterEach(() => assert.deepEqual(warnings.splice(0), [], 'a client warned'));

const [ann, jon] = await Promise.all(['ann-cx', 'jon-lead-aftersales'].map(person));

// ── what a plain fetch gives ───────────────────────────────────────────────────────────────────

/** The data of a document of ours, or of an operation of the contract by its name; it must come without an error. */
async function plain(who, query, variables) {
  const { status, errors, data } = await who.ask(operations.get(query) ?? query, variables);
  assert.deepEqual([status, errors], [200, undefined]);
  return data;
}

const { __schema } = await plain(ann, getIntrospectionQuery({ descriptions: false }));
const objects = __schema.types.filter((type) => type.kind === 'OBJECT' && !type.name.startsWith('__'));
/** The field by which an object is told from others: its id, of a flat row that of the row; values have none. */
const identity = ({ fields }) => ['id', 'rowId'].find((id) => fields.some((field) => field.name === id));

const { blueprints } = await plain(ann, '{ blueprints(first: 200) { nodes { id key } } }');
const reads = [
  ['Me'],
  ...blueprints.nodes.map(({ key }) => ['Canvas', { key }]),
  ['Blueprints'],
  ['Unaccountable'],
  ...['union', 'b-aftersales', 'u-comms'].map((key) => ['MyDepartment', { key, below: true }]),
  ['Facts', { filter: { kpiKeys: ['KB1', 'KB3'] } }],
];

test('every query of the contract is among them', () => {
  const queries = [...operations].filter(([, text]) => text.startsWith('query')).map(([name]) => name);
  assert.deepEqual(queries.filter((name) => !reads.some(([read]) => read === name)), []);
});

/** Reads an object by its id alone, as the interface and as its type. */
async function readsByIdAlone({ ask }) {
  const [{ id, key }] = blueprints.nodes;
  const { node } = await ask('query One($id: ID!) { node(id: $id) { __typename ...Whatever ... on Blueprint { key } } } fragment Whatever on Node { id }', { id });
  assert.deepEqual({ ...node }, { __typename: 'Blueprint', id, key });
}

/** The ids in an answer, at any depth. */
function ids(value, found = new Set()) {
  if (value === null || typeof value !== 'object') return found;
  for (const id of [value.id, value.rowId]) if (id) found.add(id);
  for (const inner of Object.values(value)) ids(inner, found);
  return found;
}
/** What two answers to the same question have alike: clients add `__typename`, and a cursor may say when it was given. */
const bare = (answer) => JSON.parse(JSON.stringify(answer, (key, value) => (key === '__typename' ? undefined : value && /^(cursor|endCursor)$/.test(key) ? 'a cursor' : value)));

/** Lists, each with a size of page that takes several requests, and what is asked of its items. */
const lists = { blueprints: [2, 'id key title'], departments: [10, 'id key name'], touchpoints: [25, 'id key name'], kpiFacts: [100, 'rowId measurementId value role'] };
const page = (list) => `query Page($first: Int!, $after: String) { ${list}(first: $first, after: $after) { edges { cursor node { ${lists[list][1]} } } pageInfo { hasNextPage endCursor } } }`;
const items = ({ edges }) => bare(edges.map((edge) => edge.node));
async function allOf(list) {
  const all = [];
  for (let after = null, more = true; more; ) {
    const { [list]: read } = await plain(ann, page(list), { first: 200, after });
    all.push(...items(read));
    assert.notEqual(read.pageInfo.endCursor, after, 'a page that leads nowhere');
    ({ hasNextPage: more, endCursor: after } = read.pageInfo);
  }
  return all;
}

const HELD = 'query Held($id: ID!) { responsibility(id: $id) { id role status tasks version } }';
const B08 = '{ touchpoint(by: { key: { blueprint: "bp-aftermarket", key: "B08" } }) { responsibilities { id role department { key } } } }';
const { id } = (await plain(jon, B08)).touchpoint.responsibilities.find((r) => r.role === 'ACCOUNTABLE' && r.department.key === 'b-aftersales');
/** What jon’s department answers for at B08, as it is now. */
const held = async () => (await plain(jon, HELD, { id })).responsibility;
/** Sets its tasks without a client: as somebody else, who is faster. */
async function setTasks(tasks) {
  const { version: expectedVersion } = await held();
  const { responsibilityUpdate } = await plain(jon, 'Update', { input: { id, expectedVersion, tasks } });
  assert.deepEqual(responsibilityUpdate.userErrors, []);
}
/** Puts its tasks back, whatever comes of the run. */
async function keepingTasks(run) {
  const { tasks } = await held();
  try {
    await run();
  } finally {
    await setTasks(tasks);
  }
}
const TASKS = ['answer within a day', 'say who answers'];
/** The answer that a client draws before the server’s, which knows no version yet. */
const hoped = (input, version) => ({ __typename: 'ResponsibilityPayload', userErrors: [], responsibility: { __typename: 'Responsibility', id: input.id, tasks: input.tasks, version } });

/** A fetch as somebody, or nobody, that notes of each request its method and which parts of a persisted query it had. */
function wire(who) {
  const sent = [];
  const send = (url, init) => {
    const body = init.method === 'GET' ? Object.fromEntries(new URL(url).searchParams) : JSON.parse(init.body);
    const hash = JSON.stringify(body.extensions ?? null).includes('sha256Hash');
    sent.push([init.method, ...(hash ? ['hash'] : []), ...(body.query ? ['query'] : [])].join(' '));
    assert.ok(sent.length < 100, 'a client that asks on and on');
    const headers = { ...init.headers, ...(who && { authorization: `Bearer ${who.token}` }) };
    return fetch(url, { ...init, headers, signal: AbortSignal.timeout(20_000) });
  };
  return { sent, send };
}

// ── Apollo Client ──────────────────────────────────────────────────────────────────────────────

const possibleTypes = Object.fromEntries(__schema.types.filter((type) => type.possibleTypes).map((type) => [type.name, type.possibleTypes.map(({ name }) => name)]));
const rows = Object.fromEntries(objects.filter((type) => identity(type) === 'rowId').map(({ name }) => [name, { keyFields: ['rowId'] }]));

function apolloOf(who, { fields = {}, links = [] } = {}) {
  const { sent, send } = wire(who);
  const cache = new apollo.InMemoryCache({ possibleTypes, typePolicies: { ...rows, Query: { fields } } });
  const client = new apollo.ApolloClient({ cache, link: apollo.ApolloLink.from([...links, new apollo.HttpLink({ uri: GRAPHQL, fetch: send })]) });
  const ask = async (query, variables, fetchPolicy) => (await client.query({ query: parse(operations.get(query) ?? query), variables, fetchPolicy })).data;
  return { client, cache, sent, ask };
}
/** What the cache holds, by type and id. */
const entities = (cache) => Object.keys(cache.extract()).filter((key) => !/^(ROOT_|__META)/.test(key));

for (const who of [ann, jon]) {
  test(`Apollo: the contract’s queries as ${who.key}, all in one cache, each still as it came`, async () => {
    const { cache, sent, ask } = apolloOf(who);
    const answers = [];
    for (const [query, variables] of reads) {
      answers.push(await ask(query, variables));
      assert.deepEqual(bare(answers.at(-1)), bare(await plain(who, query, variables)), query);
    }
    for (const [i, [query, variables]] of reads.entries()) assert.deepEqual(await ask(query, variables, 'cache-only'), answers[i], query);
    assert.equal(sent.length, reads.length);

    // Relay keeps objects by their id alone: no id may be that of two types.
    const kept = entities(cache);
    assert.deepEqual(kept.map((key) => key.replace(/^\w+:/, '').replace(/^\{"rowId":"(.*)"\}$/, '$1')).toSorted(), [...ids(answers)].toSorted());
    for (const type of ['Account', 'Blueprint', 'Phase', 'Touchpoint', 'Responsibility', 'KpiLink', 'Measurement', 'Transition', 'Department', 'PersonaNeed', 'KpiFact']) {
      assert.ok(kept.some((key) => key.startsWith(`${type}:`)), type);
    }
  });
}

test('Apollo: an object by its id alone, read as the interface and as its type', () => readsByIdAlone(apolloOf(ann)));

for (const [list, [first]] of Object.entries(lists)) {
  test(`Apollo: ${list}, page after page to the end`, async () => {
    const { client, cache, sent } = apolloOf(ann, { fields: { [list]: relayStylePagination(['filter']) } });
    const query = { query: parse(page(list)), variables: { first } };
    const shown = client.watchQuery(query);
    const drawing = shown.subscribe(() => {});
    let { pageInfo } = (await client.query(query)).data[list];
    while (pageInfo.hasNextPage) ({ pageInfo } = (await shown.fetchMore({ variables: { after: pageInfo.endCursor } })).data[list]);
    drawing.unsubscribe();
    const { [list]: all } = client.readQuery(query);
    const wanted = await allOf(list);
    assert.deepEqual(items(all), wanted);
    assert.equal(entities(cache).length, wanted.length);
    assert.equal(sent.length, Math.ceil(wanted.length / first));
    assert.ok(sent.length > 2);
  });
}

test('Apollo: a change shows at once, then as the server has it', () =>
  keepingTasks(async () => {
    const { client, cache, ask } = apolloOf(jon);
    const { responsibility: before } = await ask(HELD, { id });
    const input = { id, expectedVersion: before.version, tasks: TASKS };
    const shown = [];
    cache.watch({ query: parse(HELD), variables: { id }, optimistic: true, callback: ({ result }) => shown.push([result.responsibility.version, result.responsibility.tasks]) });
    const { data } = await client.mutate({ mutation: parse(operations.get('Update')), variables: { input }, optimisticResponse: { responsibilityUpdate: hoped(input, before.version) } });
    const after = await held();
    assert.deepEqual(data.responsibilityUpdate.userErrors, []);
    assert.ok(after.version > before.version);
    assert.deepEqual(shown, [[before.version, TASKS], [after.version, after.tasks]]);
    const { responsibility } = await ask(HELD, { id }, 'cache-only');
    assert.deepEqual([bare(responsibility), responsibility.tasks], [after, TASKS]);
  }));

test('Apollo: whoever is late gets a CONFLICT, and the object as it is now', () =>
  keepingTasks(async () => {
    const { client, cache, ask } = apolloOf(jon);
    const { responsibility: before } = await ask(HELD, { id });
    await setTasks(['be faster']);
    const input = { id, expectedVersion: before.version, tasks: TASKS };
    const { data } = await client.mutate({ mutation: parse(operations.get('Update')), variables: { input }, optimisticResponse: { responsibilityUpdate: hoped(input, before.version) } });
    assert.deepEqual(data.responsibilityUpdate.userErrors.map(({ code, field }) => [code, field]), [['CONFLICT', ['expectedVersion']]]);
    const kept = bare((await ask(HELD, { id }, 'cache-only')).responsibility);
    assert.deepEqual(kept, await held());
    assert.deepEqual(kept.tasks, ['be faster']);
    assert.equal(entities(cache).length, 1);
  }));

for (const useGETForHashedQueries of [false, true]) {
  const method = useGETForHashedQueries ? 'GET' : 'POST';
  test(`Apollo: persisted queries are declined once, by ${method}, and the query is sent`, async () => {
    const sha256 = (query) => createHash('sha256').update(query).digest('hex');
    const { sent, ask } = apolloOf(ann, { links: [createPersistedQueryLink({ sha256, useGETForHashedQueries })] });
    for (const operation of ['Me', 'Unaccountable']) assert.deepEqual(bare(await ask(operation)), bare(await plain(ann, operation)));
    assert.deepEqual(sent, [`${method} hash`, 'POST query', 'POST query']);
  });
}

test('Apollo: who is not signed in is told by a code', async () => {
  const { ask } = apolloOf(null);
  await assert.rejects(ask('Me'), (error) => {
    assert.ok(apollo.CombinedGraphQLErrors.is(error), error);
    assert.deepEqual(error.errors.map(({ extensions }) => extensions.code), ['UNAUTHENTICATED']);
    return true;
  });
});

// ── urql with Graphcache ───────────────────────────────────────────────────────────────────────

/** From the schema Graphcache knows what may be null and which types an interface has. Which types have no id it has to be told, or it warns; and that the contract’s Me asks for these two without theirs. */
const schema = minifyIntrospectionQuery({ __schema });
const keyed = objects.filter((type) => identity(type) !== 'id').map((type) => [type.name, identity(type) ? ({ rowId }) => rowId : () => null]);
const keys = Object.fromEntries([...keyed, ...['Viewer', 'Membership'].map((name) => [name, ({ id }) => id ?? null])]);

function urqlOf(who, { exchanges = [], ...config } = {}) {
  const { sent, send } = wire(who);
  const client = new urql.Client({ url: GRAPHQL, fetch: send, exchanges: [cacheExchange({ schema, keys, globalIDs: true, ...config }), ...exchanges, urql.fetchExchange], preferGetMethod: false });
  const ask = async (query, variables = {}, requestPolicy = 'cache-first') => {
    const { data, error } = await client.query(operations.get(query) ?? query, variables, { requestPolicy });
    assert.equal(error, undefined);
    return data;
  };
  const change = async (mutation, input) => {
    const { data, error } = await client.mutation(operations.get(mutation) ?? mutation, { input });
    assert.equal(error, undefined);
    return Object.values(data).find((payload) => payload?.userErrors);
  };
  return { client, sent, ask, change };
}

for (const who of [ann, jon]) {
  test(`urql: the contract’s queries as ${who.key}, all in one cache, each still as it came`, async () => {
    const { sent, ask } = urqlOf(who);
    const answers = [];
    for (const [query, variables] of reads) {
      answers.push(await ask(query, variables));
      assert.deepEqual(bare(answers.at(-1)), bare(await plain(who, query, variables)), query);
    }
    for (const [i, [query, variables]] of reads.entries()) assert.deepEqual(await ask(query, variables, 'cache-only'), answers[i], query);
    assert.equal(sent.length, reads.length);
  });
}

test('urql: an object by its id alone, read as the interface and as its type', () => readsByIdAlone(urqlOf(ann)));

for (const [list, [first]] of Object.entries(lists)) {
  test(`urql: ${list}, page after page to the end`, async () => {
    const { sent, ask } = urqlOf(ann, { resolvers: { Query: { [list]: relayPagination() } } });
    let after = null;
    let all;
    do {
      all = (await ask(page(list), { first, after }))[list];
      ({ endCursor: after } = all.pageInfo);
    } while (all.pageInfo.hasNextPage);
    const wanted = await allOf(list);
    assert.deepEqual(items(all), wanted);
    assert.equal(sent.length, Math.ceil(wanted.length / first));
    assert.ok(sent.length > 2);
  });
}

test('urql: a change shows at once, then as the server has it', () =>
  keepingTasks(async () => {
    const { client, ask, change } = urqlOf(jon, {
      optimistic: { responsibilityUpdate: ({ input }, cache) => hoped(input, cache.resolve({ __typename: 'Responsibility', id: input.id }, 'version')) },
    });
    const { responsibility: before } = await ask(HELD, { id });
    const shown = [];
    const { unsubscribe } = client.query(HELD, { id }, { requestPolicy: 'cache-only' }).subscribe(({ data }) => shown.push([data.responsibility.version, data.responsibility.tasks]));
    const { userErrors } = await change('Update', { id, expectedVersion: before.version, tasks: TASKS });
    unsubscribe();
    const after = await held();
    assert.deepEqual(userErrors, []);
    assert.ok(after.version > before.version);
    assert.deepEqual(shown, [[before.version, before.tasks], [before.version, TASKS], [after.version, after.tasks]]);
    const { responsibility } = await ask(HELD, { id }, 'cache-only');
    assert.deepEqual([bare(responsibility), responsibility.tasks], [after, TASKS]);
  }));

test('urql: whoever is late gets a CONFLICT, and the object as it is now', () =>
  keepingTasks(async () => {
    const { ask, change } = urqlOf(jon);
    const { responsibility: before } = await ask(HELD, { id });
    await setTasks(['be faster']);
    const { userErrors } = await change('Update', { id, expectedVersion: before.version, tasks: TASKS });
    assert.deepEqual(userErrors.map(({ code, field }) => [code, field]), [['CONFLICT', ['expectedVersion']]]);
    const kept = bare((await ask(HELD, { id }, 'cache-only')).responsibility);
    assert.deepEqual(kept, await held());
    assert.deepEqual(kept.tasks, ['be faster']);
  }));

test('urql: what is made goes into the list that it is in, and what is deleted out of it', async () => {
  const [{ id: blueprintId, key }] = blueprints.nodes;
  const relist = (cache, change) => {
    const blueprint = { __typename: 'Blueprint', id: blueprintId };
    cache.link(blueprint, 'transitions', change(cache.resolve(blueprint, 'transitions')));
  };
  const { sent, ask, change } = urqlOf(ann, {
    updates: {
      Mutation: {
        transitionCreate: ({ transitionCreate: { transition } }, _, cache) => relist(cache, (there) => [...there, cache.keyOfEntity(transition)]),
        transitionDelete: ({ transitionDelete: { transition } }, _, cache) => relist(cache, (there) => there.filter((one) => one !== cache.keyOfEntity(transition))),
      },
    },
  });
  const kept = async () => bare((await ask('Canvas', { key })).blueprint.transitions);
  const wanted = async () => (await plain(ann, 'Canvas', { key })).blueprint.transitions;
  const payload = '{ transition { id version kind end basis from { id key } to { id key } } userErrors { code message } }';

  const before = await kept();
  const { phases } = (await ask('Canvas', { key })).blueprint;
  const [fromId, toId] = [phases[0], phases.at(-1)].map(({ touchpoints }) => touchpoints[0].id);
  const { transition, userErrors } = await change(`mutation Make($input: TransitionCreateInput!) { transitionCreate(input: $input) ${payload} }`, { blueprintId, kind: 'SKIP', fromId, toId });
  assert.deepEqual(userErrors, []);
  const [made, thereWith] = [await kept(), await wanted()];
  const gone = await change(`mutation Drop($input: AtVersionInput!) { transitionDelete(input: $input) ${payload} }`, { id: transition.id, expectedVersion: transition.version });
  assert.deepEqual(gone.userErrors, []);
  assert.deepEqual(made, thereWith);
  assert.deepEqual(made.map((one) => one.id), [...before.map((one) => one.id), transition.id]);
  assert.deepEqual(await kept(), before);
  assert.deepEqual(await wanted(), before);
  assert.equal(sent.length, 3);
});

for (const preferGetForPersistedQueries of [true, false]) {
  const method = preferGetForPersistedQueries ? 'GET' : 'POST';
  test(`urql: persisted queries are declined once, by ${method}, and the query is sent`, async () => {
    const { sent, ask } = urqlOf(ann, { exchanges: [persistedExchange({ preferGetForPersistedQueries })] });
    for (const operation of ['Me', 'Unaccountable']) assert.deepEqual(bare(await ask(operation)), bare(await plain(ann, operation)));
    // urql asks again by the method that it began with.
    assert.deepEqual(sent, [`${method} hash`, `${method} query`, 'POST query']);
  });
}

test('urql: who is not signed in is told by a code', async () => {
  const { error } = await urqlOf(null).client.query(operations.get('Me'), {});
  assert.deepEqual([error?.response.status, error?.graphQLErrors.map(({ extensions }) => extensions.code)], [401, ['UNAUTHENTICATED']]);
});
