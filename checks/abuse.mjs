// Sends the server what nobody sends in good faith: each must be refused with a 4xx at once, and good requests must pass before and after.
// One request at a time, every one bounded; $SLOW is the time in ms that a refusal may take.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRAPHQL, accessToken } from './client.mjs';

const SLOW = Number(process.env.SLOW ?? 250);
const authorization = `Bearer ${await accessToken('ann-cx')}`;
const json = { 'content-type': 'application/json' };

async function send({ method = 'POST', url = GRAPHQL, headers = json, body }) {
  const begun = performance.now();
  try {
    const answer = await fetch(url, { method, headers: { accept: 'application/graphql-response+json', authorization, ...headers }, body, signal: AbortSignal.timeout(10_000) });
    const text = await answer.text();
    return { status: answer.status, text, ms: performance.now() - begun };
  } catch (error) {
    return { status: error.name === 'TimeoutError' ? 'timeout' : 'closed', text: '', ms: performance.now() - begun };
  }
}

const many = (n, make) => Array.from({ length: n }, (_, i) => make(i)).join(' ');
const nest = (n, open, close, inside = '') => open.repeat(n) + inside + close.repeat(n);
const query = (text, variables) => ({ body: JSON.stringify({ query: text, variables }) });
const get = (parameters) => ({ method: 'GET', headers: {}, url: `${GRAPHQL}?${new URLSearchParams(parameters)}` });
const multipart = ['--cut', 'content-disposition: form-data; name="operations"', '', '{"query":"mutation{__typename}"}', '--cut', 'content-disposition: form-data; name="map"', '', '{}', '--cut--', ''].join('\r\n');
const top = 'department(by:{key:"union"})';
const up = (n) => `{${top}${nest(n, '{parent', '}', '{name}')}}`;

/** Fragments that each spread the next `width` times: width to the power of depth fields, in a few hundred bytes. */
const bomb = (depth, width) =>
  '{...F0} ' + many(depth, (i) => `fragment F${i} on Query{${many(width, () => (i + 1 < depth ? `...F${i + 1}` : '__typename'))}}`);

const good = {
  'the smallest query': query('{__typename}'),
  'one of two operations, by GET': get({ query: 'query One{one:__typename} query Two{two:__typename}', operationName: 'Two' }),
  'thirty aliases': query(`{${many(15, (i) => `a${i}:__typename`)} viewer{account{${many(15, (i) => `b${i}:name`)}}}}`),
  'parents, a few deep': query(up(5)),
};

const abuses = {
  // ways in
  'a mutation by GET': get({ query: 'mutation{__typename}' }),
  'a mutation as text/plain': { headers: { 'content-type': 'text/plain' }, body: '{"query":"mutation{__typename}"}' },
  'a mutation as a form': { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'query=mutation{__typename}' },
  'a mutation as a multipart form': { headers: { 'content-type': 'multipart/form-data; boundary=cut' }, body: multipart },
  'no content type': { headers: {}, body: new Blob(['{"query":"{__typename}"}']) },
  'PUT': { method: 'PUT', ...query('{__typename}') },
  'a batch of 100': { body: JSON.stringify(Array(100).fill({ query: '{__typename}' })) },
  'a body that ends early': { body: '{"query":"{__typename}' },
  'NUL and half a surrogate pair': { body: String.raw`{"query":"{__type(name:\"\u0000\ud800\"){name}}"}` },
  // sizes
  '32 MiB of variables': { ...query('{__typename}', { x: 'a'.repeat(32 << 20) }), mayClose: true, slow: 3000 },
  '2 MiB of variables': { ...query('{__typename}', { x: 'a'.repeat(2 << 20) }), mayClose: true, slow: 1000 },
  'a number of a million digits': query(`{x(v:${'9'.repeat(1_000_000)})}`),
  'a block string of 5 MB': { ...query(`{x(v:"""${'\\n'.repeat(2_500_000)}""")}`), mayClose: true, slow: 1000 },
  // breadth
  '31 aliases': query(`{${many(31, (i) => `a${i}:__typename`)}}`),
  '1,000 aliases': query(`{${many(1000, (i) => `a${i}:${top}{name}`)}}`),
  '20,000 aliases': query(`{${many(20_000, (i) => `a${i}:${top}{name}`)}}`),
  'one field 5,000 times': query(`{${top}{${many(5000, () => 'name')}}}`),
  'one field 10,000 times': query(`{${top}{${many(10_000, () => 'name')}}}`),
  '51 directives': query(`{${many(51, () => '__typename @skip(if:false)')}}`),
  '1,000 directives on a field': query(`{__typename ${many(1000, () => '@skip(if:false)')}}`),
  '5,000 unknown directives': query(`{__typename ${many(5000, (i) => `@x${i}`)}}`),
  '3,000 unknown fields': { ...query(`{${many(3000, (i) => `zz${i}`)}}`), atMost: 64 << 10 },
  '5,000 unknown fields': { ...query(`{${many(5000, (i) => `zz${i}`)}}`), atMost: 64 << 10 },
  '2,000 variables': query(`query(${many(2000, (i) => `$v${i}:Int`)}){__typename}`),
  '1,000 operations': query(many(1000, (i) => `query Q${i}{__typename}`)),
  // depth
  'a circle of fragments': query('{...A} fragment A on Query{...B} fragment B on Query{...A}'),
  'a fragment in itself': query('{...A} fragment A on Query{...A}'),
  'fragments 2 to the 12': query(bomb(12, 2)),
  'fragments 3 to the 15': query(bomb(15, 3)),
  'fragments 2 to the 30': query(bomb(30, 2)),
  'parents 20 deep': query(up(20)),
  'parents 4,000 deep': query(up(4000)),
  'parents 50,000 deep': query(up(50_000)),
  'inline fragments 2,000 deep': query(nest(2000, '{...', '}', '{__typename}')),
  'a list 10,000 deep': query(`{x(v:${nest(10_000, '[', ']')})}`),
  'a list 50,000 deep': query(`{x(v:${nest(50_000, '[', ']')})}`),
  'an object 5,000 deep': query(`{x(v:${nest(5000, '{a:', '}', '1')})}`),
  'an object 50,000 deep': query(`{x(v:${nest(50_000, '{a:', '}', '1')})}`),
  'a list type 10,000 deep': query(`query($v:${nest(10_000, '[', ']', 'Int')}){__typename}`),
  'a list type 50,000 deep': query(`query($v:${nest(50_000, '[', ']', 'Int')}){__typename}`),
  'variables 100,000 deep': { body: `{"query":"{__typename}","variables":{"x":${nest(100_000, '[', ']')}}}` },
  'the schema asked for in circles': query(`{__schema{types{fields${nest(6, '{type{fields', '}}', '{name}')}}}}`),
};

const fine = (name, request) =>
  test(name, async () => {
    const { status, text } = await send(request);
    assert.equal(status, 200, text.slice(0, 300));
    assert.equal(JSON.parse(text).errors, undefined);
  });

for (const [name, request] of Object.entries(good)) fine(`passes: ${name}`, request);

for (const [name, { mayClose = false, slow = SLOW, atMost = 256 << 10, ...request }] of Object.entries(abuses)) {
  test(`refused: ${name}`, async () => {
    const { status, text, ms } = await send(request);
    assert.ok((status >= 400 && status < 500) || (mayClose && status === 'closed'), `answered ${status}: ${text.slice(0, 300)}`);
    assert.ok(ms < slow, `took ${ms.toFixed(0)} ms`);
    assert.ok(text.length < atMost, `answered ${text.length} bytes`);
  });
}

for (const [name, request] of Object.entries(good)) fine(`passes still: ${name}`, request);
