// What clients in TypeScript do before they send anything: generate code for the contract's operations from the committed schema, and compile it. Needs no server.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as sdk from '@graphql-codegen/typescript-graphql-request';
import * as operations from '@graphql-codegen/typescript-operations';
import * as resolvers from '@graphql-codegen/typescript-resolvers';
import { buildASTSchema, getNamedType, isObjectType, isRequiredArgument, isScalarType, parse, print } from 'graphql';
import ts from 'typescript';

const text = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const modules = new URL('./node_modules', import.meta.url).pathname;
const schema = parse(text('../schema.graphql'));
const types = Object.values(buildASTSchema(schema).getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const objects = types.filter(isObjectType);
const isNode = (type) => type.getInterfaces().some(({ name }) => name === 'Node');

/** The contract's operations, and what none of them has: a fragment, a variable with exactly one field, and an interface. */
const contract = parse(text('./operations.graphql')).definitions;
const more = parse(`
  fragment Step on Touchpoint { id name emotion }
  query Steps($by: By!) { blueprint(by: $by) { phases { touchpoints { ...Step } } } }
  query Any($id: ID!) { node(id: $id) { __typename id ... on Kpi { unit } } }
`).definitions;
const documents = [...contract, ...more].map((definition) => ({ location: definition.name.value, document: { kind: 'Document', definitions: [definition] }, rawSDL: print(definition) }));
const scalars = { Date: 'string', DateTime: 'string', JSON: 'unknown' };
const config = { scalars, strictScalars: true };

/** Runs in a new directory that finds the packages, and removes it. */
async function inside(run) {
  const directory = mkdtempSync(join(tmpdir(), 'cx-types-'));
  try {
    symlinkSync(modules, join(directory, 'node_modules'));
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
/** Writes the file that these plugins generate; types of operations in another one are named by the import before it. */
async function generate(directory, name, pluginMap, before = '') {
  const filename = join(directory, name);
  const plugins = Object.keys(pluginMap).map((plugin) => ({ [plugin]: {} }));
  const importOperationTypesFrom = before && 'Operations';
  writeFileSync(filename, before + (await codegen({ filename, schema, documents, config: { ...config, importOperationTypesFrom }, plugins, pluginMap })));
}
const STRICT = ['--strict', '--noUncheckedIndexedAccess'];
const STRICTEST = [...STRICT, '--exactOptionalPropertyTypes'];
/** Compiles a client with the generated code that it imports, as a bundler finds it. */
function compile(directory, flags, client) {
  const filename = join(directory, 'client.ts');
  writeFileSync(filename, client);
  const as = ['--noEmit', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
  execFileSync(process.execPath, [join(modules, 'typescript/bin/tsc'), ...flags, ...as, filename], { stdio: ['ignore', 'inherit', 'inherit'] });
}
/** What a client takes for granted of a canvas, whichever tool gave it the types. */
const DRAW = `
  for (const { touchpoints } of canvas.blueprint?.phases ?? []) {
    for (const { emotion, kpis: [link] } of touchpoints) {
      const feeling: number | null = emotion;
      const day: string | undefined = link?.latest?.measuredOn;
      // @ts-expect-error: without a null, or a default for it, it is no number.
      const number: number = emotion;
    }
  }
`;

test('no type is named as JavaScript or TypeScript names something itself', () => {
  // Generated code declares each type by its name, and so hides what it needs itself: a type Promise broke it. A scalar is not declared; it becomes a type that the client names.
  const names = new Set();
  for (let object = globalThis; object; object = Object.getPrototypeOf(object)) Object.getOwnPropertyNames(object).forEach((name) => names.add(name));
  const library = join(modules, 'typescript/lib');
  for (const file of readdirSync(library).filter((file) => /^lib\.es.*\.d\.ts$/.test(file))) {
    const { statements } = ts.createSourceFile(file, readFileSync(join(library, file), 'utf8'), ts.ScriptTarget.Latest);
    for (const { name } of statements) if (name?.text) names.add(name.text);
  }
  for (const name of ['Promise', 'Map', 'Record', 'Awaited', 'Event', 'Error']) assert.ok(names.has(name), name);
  assert.deepEqual(types.filter((type) => !isScalarType(type) && names.has(type.name)).map(({ name }) => name), []);
});

test('types of the schema and of the contract’s operations compile', () =>
  inside(async (directory) => {
    await generate(directory, 'schema.ts', { typescript });
    await generate(directory, 'operations.ts', { operations });
    compile(directory, STRICTEST, `
      import type { Blueprint, By } from './schema';
      import type { AcceptMutation, CanvasQuery, FactsQueryVariables, AnyQuery } from './operations';
      declare const canvas: CanvasQuery, accepted: AcceptMutation, any: AnyQuery, whole: Blueprint;
      ${DRAW}
      const variables: FactsQueryVariables[] = [{}, { after: null, filter: { kpiKeys: ['KB3'] } }];
      const codes: string[] | undefined = accepted.responsibilityAccept?.userErrors.map((error) => error.code);
      const unit: string | null = any.node?.__typename === 'Kpi' ? any.node.unit : null;
      const people: (string | undefined)[] = whole.promises.map((promise) => promise.createdBy?.name);
      const one: By[] = [{ id: 'x' }, { key: 'x' }];
      // @ts-expect-error: exactly one of them.
      const both: By = { id: 'x', key: 'x' };
      // @ts-expect-error: exactly one of them.
      const none: By = {};
    `);
  }));

test('the client preset compiles, with documents by their text and masked fragments', () =>
  inside(async (directory) => {
    const baseOutputDir = join(directory, 'gql/');
    mkdirSync(baseOutputDir);
    const files = await preset.buildGeneratesSection({ baseOutputDir, schema, documents, config, plugins: [], pluginMap: {}, presetConfig: {} });
    for (const file of files) writeFileSync(file.filename, await codegen(file));
    compile(directory, STRICTEST, `
      import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
      import { graphql, useFragment } from './gql';
      const Canvas = graphql(${JSON.stringify(documents.find(({ location }) => location === 'Canvas').rawSDL)});
      const Steps = graphql(${JSON.stringify(documents.find(({ location }) => location === 'Steps').rawSDL)});
      const Step = graphql(${JSON.stringify(documents.find(({ location }) => location === 'Step').rawSDL)});
      declare const canvas: ResultOf<typeof Canvas>, steps: ResultOf<typeof Steps>;
      ${DRAW}
      const by: VariablesOf<typeof Steps> = { by: { key: 'bp-member' } };
      for (const step of steps.blueprint?.phases[0]?.touchpoints ?? []) {
        const name: string = useFragment(Step, step).name;
        // @ts-expect-error: it is the fragment's.
        step.name;
      }
    `);
  }));

test('a typed SDK compiles, with the types of the whole schema beside it', () =>
  inside(async (directory) => {
    await generate(directory, 'operations.ts', { operations });
    await generate(directory, 'sdk.ts', { typescript, sdk }, "import type * as Operations from './operations';\n");
    // Not with exactOptionalPropertyTypes: the SDK hands on variables that may be undefined, which the types of graphql-request do not take.
    compile(directory, STRICT, `
      import { GraphQLClient } from 'graphql-request';
      import { getSdk } from './sdk';
      const { Accept, Canvas, Facts } = getSdk(new GraphQLClient('http://127.0.0.1/graphql'));
      const canvas = await Canvas({ key: 'bp-member' });
      ${DRAW}
      const value: number | undefined = (await Facts()).kpiFacts?.nodes[0]?.value;
      const errors = (await Accept({ input: { id: 'x', expectedVersion: 1 } })).responsibilityAccept?.userErrors;
      // @ts-expect-error: a canvas is of a key.
      await Canvas();
    `);
  }));

test('types for resolvers compile: a gateway or a mock of the whole schema', () =>
  inside(async (directory) => {
    await generate(directory, 'resolvers.ts', { typescript, resolvers });
    compile(directory, STRICTEST, `
      import type { PageInfo, Resolvers } from './resolvers';
      const pageInfo: PageInfo = { hasNextPage: false, hasPreviousPage: false };
      export const mock: Resolvers = {
        Query: { blueprint: async (_, { by }) => null, blueprints: async () => ({ edges: [], nodes: [], pageInfo }) },
        Node: { __resolveType: ({ id }) => (id.startsWith('blu_') ? 'Blueprint' : null) },
      };
    `);
  }));

test('relay-compiler takes the contract, every connection and every Node', () =>
  inside(async (directory) => {
    mkdirSync(join(directory, 'src/__generated__'), { recursive: true });
    const wanted = [];
    // In Relay the name of a file begins the names of what stands in it.
    const put = (name, suffix, document) => {
      writeFileSync(join(directory, `src/${name}.ts`), `import { graphql } from 'react-relay';\ngraphql\`${document}\`;\n`);
      wanted.push(name + suffix);
    };
    for (const definition of contract) {
      const { name: { value }, operation } = definition;
      const suffix = { query: 'Query', mutation: 'Mutation' }[operation];
      put(value, suffix, print({ ...definition, name: { kind: 'Name', value: value + suffix } }));
    }
    // Objects are refetched by their ids, and lists as pages of the object that they are a list of.
    for (const type of objects.filter(isNode)) put(`One${type.name}`, 'RefetchQuery', `fragment One${type.name}_it on ${type.name} @refetchable(queryName: "One${type.name}RefetchQuery") { id }`);
    for (const type of objects) {
      for (const field of Object.values(type.getFields()).filter((field) => getNamedType(field.type).name.endsWith('Connection'))) {
        const name = `${type.name}${field.name[0].toUpperCase()}${field.name.slice(1)}`;
        const required = field.args.filter(isRequiredArgument);
        const definitions = ['first: { type: "Int", defaultValue: 20 }', 'after: { type: "String" }', ...required.map((argument) => `${argument.name}: { type: "${argument.type}" }`)];
        const given = ['first', 'after', ...required.map((argument) => argument.name)].map((argument) => `${argument}: $${argument}`);
        const list = `{ ${field.name}(${given.join(', ')}) @connection(key: "${name}_${field.name}") { edges { node { __typename } } } }`;
        // What has no id, such as an impact, is not asked for again by itself.
        const refetchable = type.name === 'Query' || isNode(type) ? `@refetchable(queryName: "${name}PageQuery")` : '';
        put(name, refetchable ? 'PageQuery' : '_it', `fragment ${name}_it on ${type.name} @argumentDefinitions(${definitions.join(', ')}) ${refetchable} ${list}`);
      }
    }
    put('Make', 'Mutation', 'mutation MakeMutation($input: BlueprintFromTemplateInput!, $lists: [ID!]!) { blueprintFromTemplate(input: $input) { blueprint @prependNode(connections: $lists, edgeTypeName: "BlueprintEdge") { id title } } }');
    put('Drop', 'Mutation', 'mutation DropMutation($input: AtVersionInput!) { transitionDelete(input: $input) { transition { id @deleteRecord } } }');
    for (const name of ['QueryBlueprintsPageQuery', 'QueryKpiSeriesPageQuery', 'QueryKpiFactsPageQuery', 'OneTouchpointRefetchQuery']) assert.ok(wanted.includes(name), name);

    writeFileSync(join(directory, 'schema.graphql'), text('../schema.graphql'));
    const relay = { src: 'src', schema: 'schema.graphql', language: 'typescript', artifactDirectory: 'src/__generated__', customScalarTypes: scalars };
    writeFileSync(join(directory, 'relay.config.json'), JSON.stringify(relay));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(modules, 'relay-compiler/cli.js'), 'relay.config.json'], { cwd: directory, encoding: 'utf8' });
    const said = stdout + stderr;
    assert.equal(status, 0, said);
    assert.doesNotMatch(said, /warn|error/i);
    assert.deepEqual(wanted.filter((name) => !existsSync(join(directory, `src/__generated__/${name}.graphql.ts`))), []);
    assert.match(readFileSync(join(directory, 'src/__generated__/CanvasQuery.graphql.ts'), 'utf8'), /readonly emotion: number \| null \| undefined;/);
  }));
