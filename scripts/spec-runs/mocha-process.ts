import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Outcome, outcomesOf } from './outcomes';

const MOCHA = createRequire(__filename).resolve('mocha/bin/mocha.js');
const RECORDER = path.join(__dirname, 'recorder.ts');
/** Characters of what a dead process said last. */
const LAST_WORDS = 4000;

/**
 * Runs spec files in a process of mocha.
 *
 * @param specs absolute paths
 * @param options.jobs how many files at a time, each in a process of its own; without it, all in one process
 * @param options.write called with what mocha says, at once with `jobs`, otherwise in one piece at the end: other processes speak
 *   meanwhile. Without it, mocha with `jobs` writes to this process's own streams.
 */
export async function runMocha(
  specs: readonly string[],
  options: { jobs?: number; write?: (text: string) => void } = {}
): Promise<Map<string, Outcome>> {
  const { jobs, write } = options;
  const folder = await mkdtemp(path.join(tmpdir(), 'telnyx-specs-'));
  const record = path.join(folder, 'record.jsonl');
  const parallel = jobs === undefined ? [] : ['--parallel', '--jobs', String(jobs)];
  const isShown = jobs !== undefined && write === undefined;
  try {
    const child = spawn(
      process.execPath,
      [MOCHA, ...parallel, '--reporter', RECORDER, '--reporter-option', `record=${record}`, ...specs],
      { stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'] }
    );
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        said.push(bytes);
        if (jobs !== undefined) write?.(bytes.toString());
      });
    }
    const end = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal });
      });
    });
    const text = Buffer.concat(said).toString();
    if (jobs === undefined) (write ?? toStdout)(text);
    const written = await readFile(record, 'utf8').catch(() => '');
    return outcomesOf(specs, written, {
      ...end,
      said: isShown ? 'See above for what it said.' : text.slice(-LAST_WORDS)
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function toStdout(text: string): void {
  process.stdout.write(text);
}
