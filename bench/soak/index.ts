// A long run under load: `npm run soak -- --minutes 10`. Needs `npm run build` and Linux. Ends with a table of what was
// found, and with exit code 1 when a part of it is not as promised.
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Child } from '../../test/support/child-process';
import { NodeRedProcess, RECEIVED_FILE } from '../../test/support/node-red-process';
import { until } from '../../test/support/until';
import { addressOf } from '../archive-instance';
import { isProved, type Proof, tableOf } from '../runs/proofs';
import { Arrivals } from './arrivals';
import { ARCHIVE, deployOf, FLOW } from './flow';
import { Senders } from './senders';
import { isFlat, slopeOf } from './slope';

const DEPLOY_EVERY_MS = 20_000;
const LONGEST_DELAY_MS = 50;
const MIB = 1024 ** 2;
const PROCESS_FILE = 'process.jsonl';

interface ProcessRow {
  at: number;
  anonymous: number;
  rss: number;
  heapUsed: number;
  external: number;
  descriptors: number;
  p50: number;
  p99: number;
  longest: number;
}

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '300' },
    recordings: { type: 'string', default: '1.5' },
    seed: { type: 'string', default: String(Date.now() % 100_000) }
  }
});
const minutes = number('minutes');
const rate = number('rate');

function number(name: keyof typeof options): number {
  const value = Number(options[name]);
  if (!(value >= 0)) throw new Error(`--${name} is a number, not ${options[name]}.`);
  return value;
}

async function soak(): Promise<boolean> {
  const media = new Child(path.join(__dirname, '../processes/media-server.mjs'), []);
  try {
    const storage = await addressOf(media);
    const nodeRed = await NodeRedProcess.start({
      flow: FLOW,
      probe: true,
      nodeArgs: ['--require', path.join(__dirname, 'probe.cjs')],
      env: { TEST_SOAK_PROCESS: PROCESS_FILE, TEST_RECEIVED_IDS: 'yes' }
    });
    try {
      return await runOn(nodeRed, storage);
    } catch (error) {
      console.log(`Node-RED wrote:\n${nodeRed.log.slice(-4000)}`);
      throw error;
    } finally {
      await nodeRed.stop();
    }
  } finally {
    await media.end();
  }
}

async function runOn(nodeRed: NodeRedProcess, storage: string): Promise<boolean> {
  const archive = path.join(nodeRed.userDir, ARCHIVE);
  mkdirSync(archive, { recursive: true });
  const senders = new Senders({
    port: nodeRed.port,
    path: '/telnyx',
    rate,
    recordings: number('recordings'),
    storage,
    seed: number('seed')
  });
  const arrivals = new Arrivals(path.join(nodeRed.userDir, RECEIVED_FILE), archive, senders.recordings);
  console.log(
    `${minutes} minutes, ${rate} deliveries a second, seed ${options.seed}, Node.js ${process.version}`
  );
  senders.start();
  try {
    const deploys = await load(nodeRed, arrivals, senders);
    senders.stop();
    const pace = senders.sent / minutes / 60;
    await settle(arrivals, senders);
    const proofs: Proof[] = [
      ['sent a second', pace.toFixed(0), String(rate), pace > rate * 0.95],
      ['deploys', String(deploys), '', true],
      ...delivered(arrivals, senders),
      ...measured(nodeRed)
    ];
    console.log(`\n${tableOf(proofs)}`);
    for (const problem of arrivals.problems.slice(0, 20)) console.log(problem);
    return isProved(proofs);
  } finally {
    senders.stop();
    senders.close();
  }
}

/** @returns how many deploys there were */
async function load(nodeRed: NodeRedProcess, arrivals: Arrivals, senders: Senders): Promise<number> {
  const end = performance.now() + minutes * 60_000;
  let deploys = 0;
  let nextDeploy = performance.now() + DEPLOY_EVERY_MS;
  while (performance.now() < end) {
    // The pace of the run itself: files and lines come all the time.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    arrivals.read();
    await arrivals.proveFiles();
    if (performance.now() < nextDeploy) continue;
    nextDeploy += DEPLOY_EVERY_MS;
    const { type, flow } = deployOf(deploys);
    await nodeRed.deploy(flow, type);
    deploys += 1;
    if (deploys % 3 === 0) console.log(progress(nodeRed, arrivals, senders));
  }
  return deploys;
}

function progress(nodeRed: NodeRedProcess, arrivals: Arrivals, senders: Senders): string {
  const last = processRows(nodeRed).at(-1);
  const memory = ((last?.anonymous ?? NaN) / MIB).toFixed(0);
  return [
    new Date().toISOString().slice(11, 19),
    `${senders.accepted.size} accepted, ${arrivals.delivered.size} delivered`,
    `${arrivals.proved.size} of ${senders.recordings.size} recordings`,
    `${memory} MiB, ${last?.descriptors ?? NaN} descriptors, p99 ${(last?.p99 ?? NaN).toFixed(1)} ms`
  ].join(' · ');
}

/** Until all is delivered and stored, or too long. */
async function settle(arrivals: Arrivals, senders: Senders): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    arrivals.read();
    await arrivals.proveFiles();
    const isWhole =
      senders.isSettled &&
      arrivals.proved.size === senders.recordings.size &&
      arrivals.delivered.size >= senders.accepted.size;
    return isWhole || undefined;
  };
  await until('all to be delivered and stored', look, { deadline: 120_000 }).catch((error: unknown) => {
    console.log(String(error));
  });
}

function delivered(arrivals: Arrivals, senders: Senders): Proof[] {
  const answers = [...senders.answers].sort(([a], [b]) => a.localeCompare(b));
  const forged = answers
    .filter(([key]) => key.startsWith('forged 2'))
    .reduce((sum, [, count]) => sum + count, 0);
  const lost = [...senders.accepted].filter((id) => !arrivals.delivered.has(id)).length;
  const strange = [...arrivals.delivered.keys()].filter((id) => !senders.accepted.has(id)).length;
  const twice = (times: ReadonlyMap<string, number>): number =>
    [...times.values()].filter((count) => count > 1).length;
  const recordings = senders.recordings.size;
  return [
    ['requests by kind and answer', answers.map(([key, count]) => `${key}: ${count}`).join(', '), '', true],
    ['accepted deliveries', String(senders.accepted.size), '', senders.accepted.size > 0],
    ['of these lost', String(lost), '0', lost === 0],
    ['delivered twice', String(twice(arrivals.delivered)), '0', twice(arrivals.delivered) === 0],
    ['delivered without having been accepted', String(strange), '0', strange === 0],
    ['forged ones accepted', String(forged), '0', forged === 0],
    [
      'recordings stored and proved',
      String(arrivals.proved.size),
      String(recordings),
      arrivals.proved.size === recordings && arrivals.problems.length === 0
    ],
    ['recordings reported twice', String(twice(arrivals.stored)), '0', twice(arrivals.stored) === 0],
    ['recordings that failed', String(arrivals.failed), '0', arrivals.failed === 0]
  ];
}

function processRows(nodeRed: NodeRedProcess): ProcessRow[] {
  return readFileSync(path.join(nodeRed.userDir, PROCESS_FILE), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ProcessRow);
}

/** A process compiles code and fills caches first; only the second half of a run shows what it does in the long run. */
function measured(nodeRed: NodeRedProcess): Proof[] {
  const rows = processRows(nodeRed);
  const late = rows.slice(Math.floor(rows.length / 2));
  const hours = (late.at(-1)!.at - late[0]!.at) / 3_600_000;
  const growth = (what: string, of: keyof ProcessRow, unit: number, suffix: string): Proof => {
    const slope = slopeOf(late.map((row) => ({ at: row.at, value: row[of] / unit })));
    const { perHour, error, middle } = slope;
    const text = `${middle.toFixed(0)}${suffix}, ${perHour.toFixed(1)} ± ${error.toFixed(1)}${suffix} an hour`;
    return [what, text, 'flat', isFlat(slope, hours)];
  };
  const { p50, p99, longest } = rows.at(-1)!;
  return [
    growth('memory without mapped files', 'anonymous', MIB, ' MiB'),
    growth('JavaScript heap', 'heapUsed', MIB, ' MiB'),
    growth('descriptors', 'descriptors', 1, ''),
    [
      'event loop delay p50, p99, longest',
      `${p50.toFixed(1)}, ${p99.toFixed(1)}, ${longest.toFixed(0)} ms`,
      `p99 under ${LONGEST_DELAY_MS} ms`,
      p99 < LONGEST_DELAY_MS
    ]
  ];
}

soak().then(
  (isGood) => (process.exitCode = isGood ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  }
);
