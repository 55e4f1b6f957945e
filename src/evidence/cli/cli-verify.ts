import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { monotonicNow } from '../../clock/clocks';
import { custodyFiles } from '../custody/custody-reader';
import { readPublicKey } from '../custody/signing-key';
import { readCertificates } from '../timestamp/certificates';
import { judgeStamp } from '../timestamp/time-stamp';
import { KnownFiles } from '../verify/known-files';
import { verifyFolder } from '../verify/verify-folder';
import { type Finding, type LogReport, verifyLog } from '../verify/verify-log';
import type { Command } from './cli-options';
import { printable } from './printable';

export const EXIT = { intact: 0, differs: 1, usage: 2, incomplete: 3 } as const;

export interface VerifyOutput {
  /** A line of the result. */
  print: (line: string) => void;
  /** A line that may be replaced by the next one. */
  progress: (line: string) => void;
}

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 1000;

/** Findings that are shown; the rest is counted. */
const MOST_SHOWN = 1000;

/**
 * Checks a folder, and its custody log.
 *
 * @returns the exit code
 * @throws Error for a file that cannot be used; the system's error; `signal.reason`
 */
export async function verify(
  { folder, log, key, roots, isQuiet }: Extract<Command, { name: 'verify' }>,
  { print, progress }: VerifyOutput,
  signal: AbortSignal
): Promise<number> {
  const pinned = key === null ? null : await publicKeyOf(key);
  const trusted = roots === null ? [] : await rootsOf(roots);
  if (log === null && (key ?? roots) !== null) throw new Error('--key and --roots need --log.');
  const findings = tellFindings(print);
  const onFinding = findings.tell;
  const show = isQuiet ? () => undefined : seldom(progress);
  const known = log === null ? null : new KnownFiles();
  if (log !== null && known !== null) {
    if ((await custodyFiles(log)).length === 0) throw new Error(`${log} holds no custody log.`);
    const report = await verifyLog({
      directory: log,
      pinned,
      judgeStamp: (stamp, bytes) => judgeStamp(stamp, bytes, { nonce: null, roots: trusted }),
      onLine: (line) => known.note(line),
      onFinding,
      onFile: ({ files, lines }) => show(`log: ${files} files, ${lines} lines`),
      signal
    });
    tellLog(report, pinned, print);
  }
  const report = await verifyFolder({
    ...{ folder, known, onFinding, signal },
    onFile: ({ files }) => show(`archive: ${files} files`)
  });
  print(
    `Archive: ${report.files} files, ${report.intact} as written` +
      (report.older > 0 ? `, ${report.older} older than the log (their sidecar fits)` : '') +
      (report.missing > 0 ? `, ${report.missing} missing` : '') +
      `${report.unreadable > 0 ? `, ${report.unreadable} not readable` : ''}; ${report.others} other files not checked.`
  );
  if (log === null)
    print('Without a custody log: anyone who can change a file can change its sidecar. See --log.');
  findings.end();
  if (report.unreadable > 0) return EXIT.incomplete;
  return findings.count === 0 ? EXIT.intact : EXIT.differs;
}

/** Shows what is not as it was written, up to a limit, and counts it. */
export function tellFindings(print: VerifyOutput['print']): {
  readonly count: number;
  tell: (finding: Finding) => void;
  /** Says how many there were. */
  end: () => void;
} {
  let count = 0;
  return {
    get count() {
      return count;
    },
    tell: ({ where, text }) => {
      count += 1;
      if (count <= MOST_SHOWN) print(`NOT AS WRITTEN  ${printable(where)}: ${printable(text)}`);
    },
    end: () => {
      if (count > MOST_SHOWN) print(`${count - MOST_SHOWN} more are not shown.`);
      print(
        count === 0 ? 'Everything is as it was written.' : `${count} things are not as they were written.`
      );
    }
  };
}

/** Says what a log is, and what protects it. */
export function tellLog(report: LogReport, pinned: KeyObject | null, print: VerifyOutput['print']): void {
  const { files, lines, checkpoints, anchors, rooted, provenAt, signedUpTo, keys } = report;
  print(`Custody log: ${files} files, ${lines} lines, ${checkpoints} checkpoints.`);
  if (anchors > 0)
    print(
      rooted > 0
        ? `Time stamps: ${anchors}, of which ${rooted} lead to your roots; the last such checkpoint existed at ${provenAt ?? ''}.`
        : `Time stamps: ${anchors}. Who made them shows only with their root certificates: see --roots.`
    );
  print(
    signedUpTo === null
      ? 'No checkpoint is there yet, so a log that was written anew would not show.'
      : `Signed up to ${signedUpTo}; what follows is protected by its own chain only.`
  );
  if (keys.length > 1) print(`${keys.length} keys signed. Find out why the key was changed.`);
  if (pinned === null)
    print(
      'The key beside the log was used. Give the one that you keep elsewhere with --key: only that shows a log that was written anew.'
    );
}

/** @throws Error for a file that cannot be used; the system's error */
export async function rootsOf(file: string): Promise<X509Certificate[]> {
  const roots = readCertificates(await readFile(file, 'utf8'));
  if (roots.length === 0) throw new Error(`${file} holds no certificate (PEM), or one that cannot be read.`);
  return roots;
}

/** @throws as `rootsOf` */
export async function publicKeyOf(file: string): Promise<KeyObject> {
  const key = readPublicKey(await readFile(file));
  if (key === null) throw new Error(`${file} is no public Ed25519 key.`);
  return key;
}

function seldom(show: (line: string) => void): (line: string) => void {
  let last = monotonicNow();
  return (line) => {
    const now = monotonicNow();
    if (now - last < PROGRESS_MS) return;
    last = now;
    show(line);
  };
}
