// Runs README's recipes as they stand, one after another as somebody does who pastes them, against a fresh demo: each ends
// well, says something, and nothing in it is refused. Those that build, or need a PostgreSQL of one's own, are left out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

const { SERVER, CARGO_TARGET_DIR = 'target' } = process.env;
const programs = path.resolve(CARGO_TARGET_DIR, 'debug');
const python = path.resolve('checks/.venv/bin/python');
const readme = await readFile('README.md', 'utf8');

const fences = readme.matchAll(/^```(sh|python)\n([\s\S]*?)^```$/gm);
const recipes = [...fences]
  .map(([whole, language, text]) => ({ language, text, line: readme.slice(0, readme.indexOf(whole)).split('\n').length }))
  .filter(({ text }) => !/^cargo |postgres:|"\$CX_DATABASE_URL"/m.test(text));

/** A recipe as a part of one script: what it sets is there for those after it. */
function step({ language, text }, at) {
  const asked = text.replaceAll('http://127.0.0.1:8080', SERVER);
  // The loop over what has changed is run as often as somebody would in a first hour.
  const run = language === 'sh' ? asked : `for pull in 1 2; do BEA=$BEA "${python}" ${at}.py; done`;
  return `{\n${run}\n} > ${at}.out 2> ${at}.err; echo $? > ${at}.code\n`;
}

let dir;
before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cx-readme-'));
  for (const [at, { language, text }] of recipes.entries()) {
    if (language !== 'python') continue;
    const program = text.replaceAll('http://127.0.0.1:8080', SERVER);
    await writeFile(path.join(dir, `${at}.py`), `import os\nBEA = os.environ["BEA"]\n${program}`);
  }
  const script = ['cx-blueprint migrate up', ...recipes.map(step)].join('\n');
  const env = { ...process.env, PATH: `${programs}:${process.env.PATH}`, CX_LOG: 'warn' };
  const ran = spawnSync('bash', ['-c', script], { cwd: dir, env, encoding: 'utf8', timeout: 120_000 });
  assert.equal(ran.status, 0, `${ran.error ?? ''}${ran.stderr}`);
});
after(() => rm(dir, { recursive: true, force: true }));

test('there are recipes', () => assert.ok(recipes.length >= 20, `${recipes.length}`));

for (const [at, { text, line }] of recipes.entries()) {
  test(`README line ${line}`, async () => {
    const read = (what) => readFile(path.join(dir, `${at}.${what}`), 'utf8');
    const [said, told, code] = await Promise.all([read('out'), read('err'), read('code')]);
    assert.equal(code.trim(), '0', told);
    assert.doesNotMatch(said, /^null$|"errors"|"code": "/m);
    assert.doesNotMatch(said, /"userErrors": \[\s*\{/);
    // What writes into a file says nothing besides.
    const files = [...text.matchAll(/(?:> |--output )([\w.]+\.(?:svg|json|csv))/g)].map(([, file]) => file);
    for (const file of files) assert.ok((await stat(path.join(dir, file))).size > 100, file);
    const writes = files.length > 0 || /migrate|import|pickle/.test(text);
    assert.ok(writes || said.trim() !== '', 'it says nothing');
  });
}

test('the loop keeps what it pulled', async () => {
  const kept = await readdir(dir);
  assert.ok(kept.includes('facts.pkl') && kept.includes('facts.mark'));
});
