// What a TypeScript client does: generates types for the contract's operations from the committed schema, and compiles them strictly. Needs no server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const read = (path) => parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

test('the contract validates against the schema, and its types compile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cx-types-'));
  try {
    const filename = join(directory, 'contract.ts');
    const scalars = { Date: 'string', DateTime: 'string', JSON: 'unknown' };
    const code = await codegen({
      filename,
      schema: read('../schema.graphql'),
      documents: [{ location: 'operations.graphql', document: read('./operations.graphql') }],
      config: { scalars, strictScalars: true },
      plugins: [{ typescript: {} }, { operations: {} }],
      pluginMap: { typescript, operations },
    });
    writeFileSync(filename, code);
    for (const name of ['CanvasQuery', 'FactsQueryVariables', 'AcceptMutation']) assert.ok(code.includes(`export type ${name} =`), name);
    const tsc = new URL('./node_modules/typescript/bin/tsc', import.meta.url).pathname;
    execFileSync(process.execPath, [tsc, '--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', filename], { stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
