import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recordingName } from '../src/evidence/custody/custody-line';
import { CustodyLog } from '../src/evidence/custody/custody-log';
import { sidecarPath, sidecarText } from '../src/store/sidecar';
import type { BenchResult } from './bench-result';

const FILES = Number(process.env['EVIDENCE_FILES'] ?? 100_000);
const LINES = Number(process.env['EVIDENCE_LINES'] ?? 1_000_000);
const FILE_BYTES = 4096;
const DAYS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
const BEGIN = Date.UTC(2026, 0, 1);
const AT_ONCE = 500;
/** Files of one folder. */
const A_FOLDER = 1000;
const MIB = 2 ** 20;

/** MiB that `verify` may take. */
const MOST_MIB = 400;

/** `telnyx-evidence verify` over an archive and its custody log, against `sha256sum` over the same files. */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(path.join(process.cwd(), '.bench-evidence-'));
  const [archive, custody] = [path.join(directory, 'archive'), path.join(directory, 'custody')];
  try {
    const bytes = await fill(archive, custody);
    const sums = timed(() => {
      execFileSync('sh', ['-c', `find archive custody -type f -exec sha256sum {} + > sums`], {
        cwd: directory
      });
    });
    const cli = path.join(__dirname, '../dist/src/evidence/cli/cli.js');
    const peak =
      'data:text/javascript,process.on("exit",()=>console.error("peak "+process.resourceUsage().maxRSS))';
    let found = { stdout: '', stderr: '', status: null as number | null };
    const seconds = timed(() => {
      const args = ['--import', peak, cli, 'verify', archive, '--log', custody, '--quiet'];
      found = spawnSync(process.execPath, args, { encoding: 'utf8' });
    });
    if (found.status !== 0) throw new Error(`${found.stdout.slice(-2000)}${found.stderr}`);
    const mib = Number(/peak (\d+)/.exec(found.stderr)?.[1]) / 1024;
    const size = `${FILES} files and ${LINES} lines, ${(bytes / MIB).toFixed(0)} MiB of log`;
    return [
      {
        name: 'verify an archive with its custody log, against sha256sum over the same files',
        ratio: sums / seconds,
        target: 0.05,
        details: [`${size}: verify ${seconds.toFixed(1)} s, sha256sum ${sums.toFixed(1)} s`]
      },
      {
        name: `verify in at most ${MOST_MIB} MiB`,
        ratio: MOST_MIB / mib,
        target: 1,
        details: [`${size}: at most ${mib.toFixed(0)} MiB of memory`]
      }
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns bytes of the log */
async function fill(archive: string, custody: string): Promise<number> {
  let now = BEGIN;
  const log = await CustodyLog.open({
    ...{ directory: custody, log: console.error, now: () => now },
    sync: () => Promise.resolve()
  });
  const perFile = Math.floor(LINES / FILES);
  for (let first = 0; first < FILES; first += AT_ONCE / 10) {
    now = BEGIN + Math.floor((first / FILES) * DAYS) * DAY_MS;
    const numbers = Array.from({ length: Math.min(AT_ONCE / 10, FILES - first) }, (_, at) => first + at);
    const entries = numbers.flatMap((number) => {
      const file = store(archive, number, now);
      const line = { recording: file.recording, sha256: file.sha256, actor: 'node:bench' };
      const rest = Array.from({ length: perFile - 1 }, () => ({ ...line, event: 'played' as const }));
      return [{ ...line, event: 'stored' as const, details: { place: 'bench', bytes: FILE_BYTES } }, ...rest];
    });
    await Promise.all(entries.map((entry) => log.append(entry)));
  }
  await log.close();
  return Number(execFileSync('du', ['-sb', custody], { encoding: 'utf8' }).split('\t')[0]);
}

function store(archive: string, number: number, now: number): { recording: string; sha256: string } {
  const folder = path.join(archive, String(Math.floor(number / A_FOLDER)));
  if (number % A_FOLDER === 0) mkdirSync(folder, { recursive: true });
  const id = `9d1bd6a2-7f2b-4d1c-8f0a-${String(number).padStart(12, '0')}`;
  const identity = `telnyx:${id}`;
  const bytes = Buffer.alloc(FILE_BYTES, `call ${number} `);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = path.join(folder, `${number}.mp3`);
  writeFileSync(file, bytes);
  const stored_at = new Date(now).toISOString();
  const record = { provider: 'telnyx', recording_id: id, identity, sha256, size: bytes.length, stored_at };
  writeFileSync(sidecarPath(file), sidecarText(record));
  return { recording: recordingName(id, identity), sha256 };
}

/** @returns seconds */
function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) / 1000;
}
