// Runs the public GraphQL-over-HTTP audits against the server; one that is not passed, be it only advised, fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { GRAPHQL, accessToken } from './client.mjs';

const authorization = `Bearer ${await accessToken('ann-cx')}`;
const fetchFn = (url, init = {}) =>
  fetch(url, { ...init, headers: { ...init.headers, authorization }, signal: AbortSignal.timeout(10_000) });

const audits = serverAudits({ url: GRAPHQL, fetchFn });
test('the suite has 61 audits', () => assert.equal(audits.length, 61));
for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const { status, reason } = await audit.fn();
    assert.equal(status, 'ok', reason);
  });
}
