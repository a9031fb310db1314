// Asks the server for its schema in the oldest and the newest dialect; what it says must be the committed schema.graphql.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Kind, buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';
import { person } from './client.mjs';

const ann = await person('ann-cx');
const newest = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true };
const committed = buildSchema(readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8'));

/** The schema as text, in one order, without descriptions; the roots have their usual names and need no line of their own. */
const bare = (schema) =>
  print(
    visit(parse(printSchema(lexicographicSortSchema(schema))), {
      enter: (node) => {
        if (node.kind === Kind.SCHEMA_DEFINITION) return null;
        return node.description ? { ...node, description: undefined } : undefined;
      },
    }),
  );

async function served(dialect) {
  const { status, errors, data } = await ann.ask(getIntrospectionQuery(dialect));
  assert.deepEqual([status, errors], [200, undefined]);
  return buildClientSchema(data);
}

test('the oldest dialect builds a schema of the same types', async () => {
  const names = (schema) => Object.keys(schema.getTypeMap()).toSorted();
  assert.deepEqual(names(await served({ descriptions: false })), names(committed));
});

test('the newest dialect says the committed schema', async () => {
  assert.equal(bare(await served(newest)), bare(committed));
});
