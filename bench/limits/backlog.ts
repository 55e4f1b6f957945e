import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from '../../test/support/child-process';
import { NodeRedProcess, RECEIVED_FILE } from '../../test/support/node-red-process';
import { RedisServer } from '../../test/support/redis-server';
import { until } from '../../test/support/until';
import { addressOf } from '../archive-instance';
import { median } from '../bench-result';
import { JOBS_NODE } from '../growth/kinds';
import { LineFile } from '../runs/line-file';
import type { Proof } from '../runs/proofs';
import { flowOf, STORED } from './flow';

const MEMORY_MB = 100;
const START_S = 2;
const FIRST_JOB_S = 2;
/** Starts of each kind. */
const ROUNDS = 3;
/** For how long jobs are lent and done before the memory of Redis counts. */
const LENDING_MS = 40_000;
const LOOK_MS = 250;
const MEGABYTE = 1024 ** 2;

export interface BacklogOptions {
  jobs: number;
  /** Where filled states are kept. */
  states: string;
  say: (text: string) => void;
}

/** Very many jobs wait on the disk of one Node-RED when it starts: at first none of them is lent, then as many as may be. */
export async function backlog({ jobs, states, say }: BacklogOptions): Promise<Proof[]> {
  const filled = path.join(states, `backlog-${jobs}`);
  const media = await mediaServer(states);
  const redis = await RedisServer.startOutside();
  let nodeRed: NodeRedProcess | undefined;
  try {
    const origin = await addressOf(media);
    fill(filled, { jobs, origin, say });
    say('starts without a backlog');
    let begun = performance.now();
    nodeRed = await NodeRedProcess.start({
      flow: flowOf(redis.port),
      probe: true,
      env: { TEST_RECEIVED_IDS: 'yes' }
    });
    await nodeRed.stop({ keep: true });
    const plain: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      begun = performance.now();
      await nodeRed.start();
      plain.push(seconds(begun));
      await nodeRed.stop({ keep: true });
    }
    const state = path.join(nodeRed.userDir, 'telnyx');
    rmSync(state, { recursive: true });
    cpSync(filled, state, { recursive: true });
    const lines = new LineFile<Line>(path.join(nodeRed.userDir, RECEIVED_FILE));
    say(`starts with ${jobs} jobs`);
    const first = await started(nodeRed, lines);
    const memory = await lent(redis);
    const again: Started[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await nodeRed.stop({ keep: true });
      again.push(await started(nodeRed, lines));
    }
    const usual = median(plain);
    const late = again.map(({ took }) => took);
    const jobAfter = Math.max(...again.map(({ job }) => job));
    return [
      ['start without a backlog', `${usual.toFixed(1)} s`, '', true],
      limited('first start, longer than without', first.took - usual, START_S),
      limited('first job after it', first.job, FIRST_JOB_S),
      [
        'memory of Redis, at most',
        `${memory.megabytes.toFixed(0)} MB, ${memory.waiting} jobs`,
        `${MEMORY_MB} MB`,
        memory.megabytes <= MEMORY_MB
      ],
      limited('later starts, longer than without', median(late) - usual, START_S),
      limited('first job after them, at most', jobAfter, FIRST_JOB_S)
    ];
  } catch (error) {
    say(`Node-RED wrote:\n${nodeRed?.log.slice(-4000) ?? ''}`);
    throw error;
  } finally {
    await nodeRed?.stop();
    await redis.close();
    await media.end();
  }
}

function limited(what: string, found: number, limit: number): Proof {
  return [what, `${found.toFixed(1)} s`, `at most ${limit} s`, found <= limit];
}

interface Line {
  at: string;
  time: number;
}

interface Started {
  /** Seconds that the start took. */
  took: number;
  /** Seconds from then until a first recording was stored and its message was in the flow. */
  job: number;
}

async function started(nodeRed: NodeRedProcess, lines: LineFile<Line>): Promise<Started> {
  // What an earlier process has written.
  const earlier = [...lines.added()].length;
  const begun = performance.now();
  await nodeRed.start();
  const took = seconds(begun);
  const ready = Date.now();
  const first = await until(`a recording after ${earlier}`, () =>
    [...lines.added()].find(({ at }) => at === STORED)
  );
  return { took, job: Math.max(0, first.time - ready) / 1000 };
}

/** The most memory that Redis needs while jobs are lent, and how many wait there in the end. */
async function lent(redis: RedisServer): Promise<{ megabytes: number; waiting: number }> {
  const end = performance.now() + LENDING_MS;
  let most = 0;
  let waiting = 0;
  while (performance.now() < end) {
    most = Math.max(most, (await redis.memory()) / MEGABYTE);
    waiting = Number((await redis.say(`LLEN {telnyx}:${JOBS_NODE}:wait`)).trim().slice(1));
    await pause(LOOK_MS);
  }
  return { megabytes: most, waiting };
}

/** The server of the recordings, at the address that the filled states name. */
async function mediaServer(states: string): Promise<Child> {
  const known = path.join(states, 'media-port');
  const port = existsSync(known) ? readFileSync(known, 'utf8') : '0';
  const media = new Child(path.join(__dirname, '../processes/media-server.mjs'), [port]);
  const address = new URL(await addressOf(media));
  writeFileSync(known, address.port);
  return media;
}

function fill(
  filled: string,
  { jobs, origin, say }: { jobs: number; origin: string; say: (text: string) => void }
): void {
  if (existsSync(filled)) return;
  say(`fills a state with ${jobs} jobs`);
  const draft = `${filled}-draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const args = ['--import', 'tsx', path.join(__dirname, 'fill.ts'), draft, String(jobs), origin];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('The state could not be filled.');
  // As if the process had ended in order, and another Node-RED begins.
  for (const left of ['in-use', 'instance', 'owner'])
    rmSync(path.join(draft, left), { recursive: true, force: true });
  renameSync(draft, filled);
}

function seconds(begun: number): number {
  return (performance.now() - begun) / 1000;
}
