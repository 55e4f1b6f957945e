// The tests of `npm run coverage`: units and nodes, two spec files at a time. Files that failed run once more at the end, alone.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stopCoverage } from 'node:v8';
import { runSpecs } from './spec-runs/run-specs.ts';

const TESTS = fileURLToPath(new URL('../test', import.meta.url));
/** Measures the time of functions, which coverage changes. */
const LEFT_OUT = 'test/unit/linear-time.slow.spec.ts';

const together = readdirSync(TESTS, { recursive: true })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => /^test\/(?:unit|nodes)\/.*\.spec\.ts$/.test(name) && name !== LEFT_OUT)
  .sort();
// This process is not what is to be covered, and c8 cannot read what tsx notes of it. Those of the tests go on.
stopCoverage();
process.exitCode = (await runSpecs({ together })) ? 0 : 1;
