// A client of the server named by $SERVER: signs in, sends, hands back what came. It judges nothing.
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';

export const SERVER = process.env.SERVER;
if (!SERVER) throw new Error('SERVER must name the address of a running demo');
export const GRAPHQL = `${SERVER}/graphql`;

const source = readFileSync(new URL('./operations.graphql', import.meta.url), 'utf8');
/** Every operation of the contract, word for word, by its name. */
export const operations = new Map(
  parse(source).definitions.map((o) => [o.name.value, source.slice(o.loc.start, o.loc.end)]),
);

export const login = (key, password = 'blueprint') =>
  fetch(`${SERVER}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: key, password }),
    signal: AbortSignal.timeout(20_000),
  });

export async function accessToken(key) {
  const answer = await login(key);
  if (answer.status !== 200) throw new Error(`${key} cannot sign in: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).accessToken;
}

export async function send(token, body) {
  const answer = await fetch(GRAPHQL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), ...(await answer.json()) };
}

/** Somebody who is signed in. `run` sends an operation of the contract, `ask` any other document. */
export async function person(key) {
  const token = await accessToken(key);
  const run = async (operationName, variables) => {
    const query = operations.get(operationName);
    if (!query) throw new Error(`the contract has no operation ${operationName}`);
    return send(token, { query, operationName, variables });
  };
  return { key, token, run, ask: (query, variables) => send(token, { query, variables }) };
}
