import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child } from '../test/support/child-process';
import { ArchiveInstance } from './archive-instance';
import { type BenchResult, median } from './bench-result';
import { processorTime } from './process-cost';

const COUNT = 1000;
const SIZE = 200_000;
const CONCURRENCY = 4;
const ROUNDS = 7;
/** Recordings until the code of both rivals is compiled; a Node-RED runs for months. */
const WARM_UP = 1000;

interface Turn {
  milliseconds: number;
  /** Milliseconds of processor time. */
  cpu: number;
}

/**
 * 1,000 recordings of 200 kB through the real node on a real Node-RED, each with a durable job, checked,
 * hashed, synced, with a sidecar and an entry in the index, against a script that only fetches, writes and
 * syncs them. The rivals take turns.
 */
export async function run(): Promise<BenchResult> {
  const instance = await ArchiveInstance.start({ concurrency: CONCURRENCY });
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-bench-'));
  try {
    const ours: Turn[] = [];
    const rival: Turn[] = [];
    for (let turn = 0; turn < 3; turn += 1) await instance.store(`warm-${turn}`, WARM_UP, SIZE);
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await archived(instance, `round-${round}`));
      rival.push(await downloaded(instance.origin, path.join(directory, String(round))));
    }
    return {
      name: '1,000 recordings of 200 kB stored by the node, against a script that fetches, writes and syncs',
      // Round by round, so that a change in the load of the machine does not decide.
      ratio: median(rival.map(({ milliseconds }, round) => milliseconds / ours[round]!.milliseconds)),
      target: 0.7,
      details: [line('this package', ours), line('node:http, write stream, fsync', rival)]
    };
  } finally {
    await instance.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function archived(instance: ArchiveInstance, name: string): Promise<Turn> {
  const { nodeRed, folder } = instance;
  settleDisk();
  const cpuBefore = processorTime(nodeRed.pid);
  const begun = performance.now();
  await instance.store(name, COUNT, SIZE);
  const milliseconds = performance.now() - begun;
  const cpu = processorTime(nodeRed.pid) - cpuBefore;
  // Deletes nothing before the end: a disk would process that during the next measurement.
  check(folder, name);
  return { milliseconds, cpu };
}

/** Throws unless every recording is complete and matches its sidecar: a fast but empty archive proves nothing. */
function check(folder: string, name: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => path.join(folder, file))
    .filter((file) => file.includes(`_${name}-`) && file.endsWith('.wav'));
  if (files.length !== COUNT) throw new Error(`${files.length} of ${COUNT} recordings are there`);
  for (const file of files) {
    const { sha256 } = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { sha256: string };
    if (
      statSync(file).size !== SIZE ||
      createHash('sha256').update(readFileSync(file)).digest('hex') !== sha256
    )
      throw new Error(`${file} is not what its sidecar says`);
  }
}

async function downloaded(origin: string, directory: string): Promise<Turn> {
  mkdirSync(directory);
  settleDisk();
  const task = { origin, size: SIZE, count: COUNT, warmUp: WARM_UP, concurrency: CONCURRENCY, directory };
  const script = new Child(path.join(__dirname, 'processes/plain-download.mjs'), [JSON.stringify(task)]);
  const [text] = await script.waitForOutput(/^\{.*\}$/m, { deadline: 120_000 });
  await script.end();
  return JSON.parse(text) as Turn;
}

/** Pending writes of the last turn must not slow down the next one. */
function settleDisk(): void {
  if (process.platform !== 'win32') execFileSync('sync');
}

function line(name: string, turns: Turn[]): string {
  const each = turns.map(({ milliseconds }) => milliseconds.toFixed(0)).join(', ');
  const middle = median(turns.map(({ milliseconds }) => milliseconds)).toFixed(0);
  const cpu = median(turns.map((turn) => turn.cpu / COUNT)).toFixed(2);
  return `${name}: median ${middle} ms (${each}); ${cpu} ms of processor time for each`;
}
