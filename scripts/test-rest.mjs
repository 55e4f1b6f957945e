// `npm run test:rest`: all tests except those of `npm run coverage`, or only those in the named folders of test/
// (`npm run test:rest -- real browser`). Two spec files at a time, because most of them wait for Node-RED or a browser, and beside
// them, one after another, those that do little but wait in real time; at the end, one after another, those that the load of
// others would change. test/order.json says which are which. With `TEST_NODE_RED`, those are left out that another Node-RED
// does not change.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('../test', import.meta.url));
const MOCHA = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const order = JSON.parse(readFileSync(new URL('../test/order.json', import.meta.url), 'utf8'));
const folders = process.argv.slice(2);

const specsOf = (list) => list.map(({ spec }) => spec);
const leftOut = process.env.TEST_NODE_RED === undefined ? [] : specsOf(order.once);
const isWanted = (spec) =>
  (folders.length === 0 || folders.includes(spec.split('/')[1])) && !leftOut.includes(spec);
const beside = specsOf(order.beside).filter(isWanted);
const alone = specsOf(order.alone).filter(isWanted);
const others = readdirSync(TESTS, { recursive: true })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.spec.ts') && !/^test\/(?:unit|nodes)\//.test(name) && isWanted(name))
  .filter((spec) => !beside.includes(spec) && !alone.includes(spec));
// The longest ones first: a long one that begins last would keep a core idle.
const ordered = new Set([...order.first.filter((spec) => others.includes(spec)), ...others.sort()]);

/**
 * @param isHeld whether to write what it says at its end, and not between what others say
 * @returns whether all of the tests passed
 */
function mocha(args, isHeld = false) {
  return new Promise((resolve, reject) => {
    const stdio = isHeld ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(process.execPath, [MOCHA, ...args], { stdio });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => said.push(bytes));
    child.on('error', reject);
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      resolve(code === 0);
    });
  });
}

async function waiting() {
  const results = [];
  for (const spec of beside) results.push(await mocha([spec], true));
  return results;
}

const results = (await Promise.all([mocha(['--parallel', '--jobs', '2', ...ordered]), waiting()])).flat();
// These run even if others failed: one run shows everything that is wrong.
if (alone.length > 0) results.push(await mocha(alone));
process.exitCode = results.every(Boolean) ? 0 : 1;
