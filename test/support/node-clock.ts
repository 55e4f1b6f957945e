import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NodeRedProcess } from './node-red-process';

/** `nodeArgs` of a Node-RED whose clock a test sets. */
export const SETTABLE_CLOCK = ['--require', path.join(__dirname, 'settable-clock.cjs')];

/**
 * Sets the clock of a Node-RED that was started with `SETTABLE_CLOCK`. Resolves when it is set.
 *
 * @param byMs milliseconds, relative to the real time
 */
export async function setClock(nodeRed: NodeRedProcess, byMs: number): Promise<void> {
  const from = nodeRed.log.length;
  writeFileSync(path.join(nodeRed.userDir, 'clock-set'), String(byMs));
  process.kill(nodeRed.pid, 'SIGWINCH');
  await nodeRed.waitForLog(/the clock was set by/, { from });
}
