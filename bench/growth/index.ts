import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { withPassage } from '../../scripts/marked-text';
import { median } from '../bench-result';
import { KINDS } from './kinds';
import { growthPlot } from './plot';
import type { Probe, Pruning } from './probe';
import { Results } from './results';
import { growthTable } from './table';

const SIZES = [1000, 10_000, 100_000, 1_000_000];
/** Starts of each state. */
const ROUNDS = 3;
/** Exists while a process has the state open; see openState. */
const MARKER = 'in-use';
const ROOT = path.resolve(__dirname, '../..');

const { values: options } = parseArgs({
  options: {
    kinds: { type: 'string', default: Object.keys(KINDS).join() },
    sizes: { type: 'string', default: SIZES.join() },
    what: { type: 'string', default: 'start,pruning' },
    states: { type: 'string' },
    write: { type: 'boolean', default: false }
  }
});

/**
 * Measures how start, look-up, memory, disk and pruning depend on how much there is: npm run growth
 *
 * Each measurement is a process of its own, on the disk on which this repository is.
 *
 * --write    writes table and plot into docs/
 * --kinds    some of deliveries,recordings,jobs
 * --sizes    numbers of entries
 * --what     some of start,pruning
 * --states   keeps the states, and all results so far, in this folder: filling them takes longest
 */
function main(): void {
  const folder = path.resolve(options.states ?? mkdtempSync(path.join(ROOT, '.bench-growth-')));
  mkdirSync(folder, { recursive: true });
  try {
    const results = new Results(path.join(folder, 'results.json'));
    for (const count of options.sizes.split(',').map(Number))
      for (const kind of options.kinds.split(','))
        measure(path.join(folder, `${kind}-${count}`), kind, count, results);
    const table = growthTable(results, SIZES);
    console.log(`\n${table}`);
    if (options.write) write(table, growthPlot(results, SIZES));
  } finally {
    if (options.states === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function measure(state: string, kind: string, count: number, results: Results): void {
  const directory = filled(state, kind, count);
  const what = options.what.split(',');
  if (what.includes('start')) {
    console.log(`Starting with ${count} ${kind} …`);
    writeFileSync(path.join(directory, MARKER), '0\n');
    const afterCrash = started(kind, count, directory).start;
    const probes = Array.from({ length: ROUNDS }, () => started(kind, count, directory));
    const middle = (of: (each: Probe) => number): number => median(probes.map(of));
    const start = {
      start: middle((each) => each.start),
      lookUp: middle((each) => each.lookUp),
      memory: middle((each) => each.memory),
      disk: middle((each) => each.disk)
    };
    results.add(kind, count, { afterCrash, start });
    console.log(JSON.stringify({ afterCrash, ...start }));
  }
  if (what.includes('pruning')) {
    console.log(`Pruning ${count} ${kind} …`);
    const copy = `${state}-pruned`;
    if (!existsSync(copy)) cpSync(directory, copy, { recursive: true });
    const pruning = JSON.parse(probe('prune', kind, count, copy)) as Pruning | null;
    rmSync(copy, { recursive: true, force: true });
    results.add(kind, count, { pruning });
    console.log(JSON.stringify(pruning));
  }
}

/** The state with that many entries; filled unless an earlier run has done so. */
function filled(state: string, kind: string, count: number): string {
  if (existsSync(state)) return state;
  console.log(`Filling a state with ${count} ${kind} …`);
  const draft = `${state}-draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  const { signal } = child('fill', kind, count, draft);
  if (signal !== 'SIGKILL') throw new Error(`The state could not be filled with ${kind}.`);
  cpSync(draft, state, { recursive: true });
  rmSync(draft, { recursive: true });
  return state;
}

function started(kind: string, count: number, directory: string): Probe {
  return JSON.parse(probe('probe', kind, count, directory)) as Probe;
}

/** @returns what a process with this task has measured (JSON) */
function probe(mode: string, kind: string, count: number, directory: string): string {
  const { status, stdout } = child(mode, kind, count, directory);
  if (status !== 0) throw new Error(`${mode} of ${kind} failed.`);
  return stdout;
}

function child(mode: string, kind: string, count: number, directory: string): SpawnSyncReturns<string> {
  const script = path.join(__dirname, 'probe.ts');
  const args = ['--expose-gc', '--import', 'tsx', script, mode, kind, String(count), directory];
  return spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  });
}

function write(table: string, plot: string): void {
  const document = path.join(ROOT, 'docs', 'growth.md');
  writeFileSync(document, withPassage(readFileSync(document, 'utf8'), 'growth', table));
  const folder = path.join(ROOT, 'docs', 'plots');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'growth.svg'), plot);
}

main();
