// What a queue may cost one Node-RED: `npm run limits`. Needs `npm run build`, Linux and redis-server. Ends with a table of what
// was measured, and with exit code 1 when a limit is missed.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isProved, type Proof, tableOf } from '../runs/proofs';
import { checkBuilt } from '../scale/cluster';
import { backlog, type BacklogOptions } from './backlog';
import { deploys } from './deploys';
import { idle } from './idle';

const PARTS: Readonly<Record<string, (options: BacklogOptions) => Promise<Proof[]>>> = {
  idle,
  deploys,
  backlog
};

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    states: { type: 'string' },
    only: { type: 'string', default: Object.keys(PARTS).join() }
  }
});

/**
 * --jobs     that wait at the start
 * --states   keeps the filled state in this folder, for another run: filling takes longest
 * --only     some of idle,deploys,backlog
 */
async function limits(): Promise<boolean> {
  checkBuilt();
  const jobs = Number(options.jobs);
  if (!(jobs > 0)) throw new Error(`--jobs is a number, not ${options.jobs}.`);
  const states = path.resolve(options.states ?? mkdtempSync(path.join(__dirname, '../../.bench-limits-')));
  mkdirSync(states, { recursive: true });
  // Also when it is interrupted.
  if (options.states === undefined)
    process.on('exit', () => rmSync(states, { recursive: true, force: true }));
  const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
  const proofs: Proof[] = [];
  for (const name of options.only.split(',')) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`--only knows ${Object.keys(PARTS).join(', ')}, not ${name}.`);
    say(`== ${name}`);
    proofs.push(...(await part({ jobs, states, say })));
  }
  console.log(`\n${tableOf(proofs)}`);
  return isProved(proofs);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

limits().then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  }
);
