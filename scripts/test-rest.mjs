// `npm run test:rest`: all tests except those of `npm run coverage`. Two spec files at a time, because most of them wait for
// Node-RED or a browser; then those that measure time or memory (test/run-alone.json), one after another.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const alone = JSON.parse(readFileSync(new URL('../test/run-alone.json', import.meta.url), 'utf8')).map(
  ({ spec }) => spec
);
const MOCHA = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const PACK_ONCE = ['--require', 'test/support/pack-once.ts'];

/** @returns whether all of the tests passed */
function mocha(...args) {
  const { status } = spawnSync(process.execPath, [MOCHA, ...PACK_ONCE, ...args], { stdio: 'inherit' });
  return status === 0;
}

const results = [
  mocha(
    '--parallel',
    '--jobs',
    '2',
    'test/!(unit|nodes)/**/*.spec.ts',
    ...alone.flatMap((spec) => ['--ignore', spec])
  ),
  // These run even if others failed: one run shows everything that is wrong.
  mocha(...alone)
];
process.exitCode = results.every(Boolean) ? 0 : 1;
