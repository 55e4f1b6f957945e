// `npm run test:rest`: all tests except those of `npm run coverage`, or only those in the named folders of test/
// (`npm run test:rest -- real browser`). Two spec files at a time, because most of them wait for Node-RED or a browser, and beside
// them, one after another, those that do little but wait in real time; then, one after another, those that the load of
// others would change. test/order.json says which are which. With `TEST_NODE_RED`, those are left out that another Node-RED
// does not change. Files that failed run once more at the end, alone.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runSpecs } from './spec-runs/run-specs.ts';

const TESTS = fileURLToPath(new URL('../test', import.meta.url));
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
const together = [...new Set([...order.first.filter((spec) => others.includes(spec)), ...others.sort()])];

process.exitCode = (await runSpecs({ together, beside, alone })) ? 0 : 1;
