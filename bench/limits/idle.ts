import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { NodeRedProcess } from '../../test/support/node-red-process';
import { RedisServer } from '../../test/support/redis-server';
import { until } from '../../test/support/until';
import { median } from '../bench-result';
import type { Proof } from '../runs/proofs';
import { flowOf } from './flow';

const ROUNDS = 3;
const LIMIT_MB = 35;
/** After the start, until nothing happens any more but what a queue does all the time. */
const SETTLE_MS = 15_000;
/** Node-RED itself reads the package.json of all packages. */
const LIBRARY = /[\\/]node_modules[\\/](bullmq|ioredis)[\\/].*js$/;

/** What one queue adds to the memory of a Node-RED that has nothing to do, and that without one its libraries are not there. */
export async function idle(): Promise<Proof[]> {
  const redis = await RedisServer.startOutside();
  try {
    const alone: Idle[] = [];
    const shared: Idle[] = [];
    // In turns, so that the machine is the same for both.
    for (let round = 0; round < ROUNDS; round += 1) {
      alone.push(await idleOf(undefined));
      shared.push(await idleOf(redis.port));
    }
    const libraries = new Set(alone.flatMap((each) => each.libraries));
    const [before, after] = [alone, shared].map((all) => median(all.map(({ megabytes }) => megabytes)));
    const added = after! - before!;
    if (shared.some((each) => each.libraries.length < 2)) throw new Error('The queue was not in use.');
    return [
      [
        'libraries of the queue in memory without one',
        [...libraries].join() || 'none',
        'none',
        libraries.size === 0
      ],
      [
        'memory that an idle queue adds',
        `${added.toFixed(0)} MB, to ${before!.toFixed(0)} MB`,
        `at most ${LIMIT_MB} MB`,
        added <= LIMIT_MB
      ]
    ];
  } finally {
    await redis.close();
  }
}

interface Idle {
  /** What belongs to the process alone, after a collection of garbage. */
  megabytes: number;
  libraries: string[];
}

async function idleOf(redisPort: number | undefined): Promise<Idle> {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-limits-'));
  const file = path.join(directory, 'process.json');
  const nodeRed = await NodeRedProcess.start({
    flow: flowOf(redisPort),
    nodeArgs: ['--expose-gc', '--require', path.join(__dirname, 'idle-probe.cjs')],
    env: { LIMITS_IDLE_FILE: file }
  });
  try {
    if (redisPort !== undefined) await nodeRed.waitForLog(/Redis \(.*\) answers/);
    await pause(SETTLE_MS);
    process.kill(nodeRed.pid, 'SIGCONT');
    const text = await until('the memory', () => textOf(file));
    const { megabytes, files } = JSON.parse(text) as { megabytes: number; files: string[] };
    const libraries = new Set(files.flatMap((each) => LIBRARY.exec(each)?.[1] ?? []));
    return { megabytes, libraries: [...libraries] };
  } finally {
    await nodeRed.stop();
    rmSync(directory, { recursive: true });
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
