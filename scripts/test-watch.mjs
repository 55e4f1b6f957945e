// `npm run test:watch`: reruns tests whenever a file that they import changes. Runs the fast unit tests, or the
// given ones:
// npm run test:watch -- test/unit/transfer/*.spec.ts
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FAST_UNITS = ['test/unit/**/*.spec.ts', '--ignore', 'test/unit/**/*.slow.spec.ts'];
const named = process.argv.slice(2);
// Mocha's own --watch keeps modules of the previous run; the bin of Mocha starts a process that --watch does
// not see.
const mocha = fileURLToPath(new URL('../node_modules/mocha/lib/cli/cli.js', import.meta.url));
const args = ['--watch', '--import', 'tsx', mocha, ...(named.length > 0 ? named : FAST_UNITS)];
const child = spawn(process.execPath, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', (code) => {
  process.exitCode = code ?? 0;
});
