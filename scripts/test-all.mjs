// `npm test`, after the build: lint, coverage and all other tests. Each of them runs even if an earlier one failed, so one run
// shows everything that is wrong.
import { spawnSync } from 'node:child_process';

const failed = ['lint', 'coverage', 'test:rest'].filter(
  // A shell, because npm is a script of the shell on Windows.
  (script) => spawnSync(`npm run ${script}`, { shell: true, stdio: 'inherit' }).status !== 0
);
if (failed.length > 0) {
  console.error(`Failed: ${failed.map((script) => `npm run ${script}`).join(', ')}`);
  process.exitCode = 1;
}
