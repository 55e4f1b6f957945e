import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { KINDS } from './kinds';

/** What one process measured of a state with many entries. */
export interface Probe {
  /** Milliseconds in which nothing else in Node-RED runs. */
  start: number;
  /** Microseconds for each of many look-ups, half of them for what is not there. */
  lookUp: number;
  /** MiB by which the memory of the process grew, without what is only mapped from the file; NaN if unknown. */
  memory: number;
  /** MiB. */
  disk: number;
}

export interface Pruning {
  seconds: number;
  /** Milliseconds for which nothing else in Node-RED ran. */
  longest: number;
  p99: number;
  /** MiB, as in `Probe`: the most that it grew by. */
  memory: number;
}

const LOOK_UPS = 20_000;
const MIB = 1024 ** 2;

/** Fills a state and dies without closing it, as in a power cut; measures one; or prunes it and measures that. */
async function main([mode = '', name = '', count = '', directory = '']: string[]): Promise<void> {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`No kind is named ${name}.`);
  switch (mode) {
    case 'fill':
      await kind.fill(directory, Number(count));
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'probe':
      tell(await probe(name, Number(count), directory));
      return;
    case 'prune':
      tell(await prune(name, directory));
      return;
    default:
      throw new Error(`No mode is named ${mode}.`);
  }
}

async function probe(name: string, count: number, directory: string): Promise<Probe> {
  globalThis.gc?.();
  const before = ownMemory();
  const begun = performance.now();
  const opened = KINDS[name]!.open(directory);
  const start = performance.now() - begun;
  const lookUp = lookUps(count, (number) => opened.lookUp(number));
  globalThis.gc?.();
  const memory = ownMemory() - before;
  const disk = sizeOf(directory) / MIB;
  await opened.close();
  return { start, lookUp, memory, disk };
}

/** @returns microseconds for each, without the first ones, which warm up the code */
function lookUps(count: number, lookUp: (number: number) => boolean): number {
  let state = 1;
  let begun = 0;
  let found = 0;
  for (let round = -LOOK_UPS; round < LOOK_UPS; round += 1) {
    if (round === 0) begun = performance.now();
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    if (lookUp(Math.floor((state / 2 ** 32) * 2 * count))) found += 1;
  }
  if (found < LOOK_UPS * 0.9) throw new Error(`Only ${found} of ${2 * LOOK_UPS} were found.`);
  return ((performance.now() - begun) * 1000) / LOOK_UPS;
}

async function prune(name: string, directory: string): Promise<Pruning | null> {
  const opened = KINDS[name]!.open(directory);
  if (opened.prune === undefined) {
    await opened.close();
    return null;
  }
  // What opening did is not part of it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  globalThis.gc?.();
  const before = ownMemory();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, ownMemory())), 200);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  await opened.prune();
  const seconds = (performance.now() - begun) / 1000;
  // A pause at the very end counts, too.
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.disable();
  clearInterval(watch);
  const memory = Math.max(most, ownMemory()) - before;
  await opened.close();
  return { seconds, longest: delay.max / 1e6, p99: delay.percentile(99) / 1e6, memory };
}

/** MiB that belong to this process alone: LMDB's file is mapped, and those pages are free for others at any time. */
function ownMemory(): number {
  try {
    const [, kilobytes] = /^RssAnon:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return NaN;
  }
}

/** Bytes on disk of all files in a directory. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).blocks * 512, 0);
}

function tell(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
  // Timers of the state may keep the process alive.
  process.exit(0);
}

void main(process.argv.slice(2));
