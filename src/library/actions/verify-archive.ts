import type { CodedError } from '../../errors/coded-error';
import { custodyFiles } from '../../evidence/custody/custody-reader';
import { judgeStamp } from '../../evidence/timestamp/time-stamp';
import { type Finding, verifyLog } from '../../evidence/verify/verify-log';
import { locationOf, type StoredRecording } from '../../store/stored-recording';
import type { FoundFile } from '../search/archive-search';
import { MOST_LISTED } from './delete-files';

/** What became of the check. Of the findings the first only. */
export interface VerifySummary {
  /** Files that were read. */
  checked: number;
  /** Of them, those whose bytes are as they were stored. */
  intact: number;
  changed: number;
  missing: number;
  /** Nobody knows: their disk or bucket could not be read. */
  unreadable: number;
  /** Of the custody log; null: there is none yet. `signed_up_to` names its last file that a checkpoint protects. */
  log: {
    files: number;
    lines: number;
    checkpoints: number;
    anchors: number;
    signed_up_to: string | null;
  } | null;
  /** What is not as it was written, in the archive and in the log. */
  differences: number;
  findings: Finding[];
  /** False: not everything could be read. */
  complete: boolean;
}

/** As `CopyReader.read` tells. */
type CopyState =
  { kind: 'read'; sha256: string } | { kind: 'missing' } | { kind: 'unreadable'; error: CodedError };

export interface VerifyArchiveDeps {
  /** Reads a stored copy. @throws `signal.reason` */
  read: (recording: StoredRecording) => Promise<CopyState>;
  /** What the index knows of a file now. */
  current: (key: FoundFile['key']) => FoundFile['file'] | undefined;
  /** Directory of the custody log. */
  directory: string;
  /** Called with the number of files that were read so far. */
  onChecked: (checked: number) => void;
}

/**
 * Reads stored files again and compares them with what the index says, and each line of the custody log with the one before it
 * and with the signed checkpoints. Changes nothing.
 *
 * @returns the summary, and why the first file could not be read
 * @throws `signal.reason`; the system's error when the log cannot be read
 */
export async function verifyArchive(
  files: AsyncIterable<FoundFile>,
  { read, current, directory, onChecked }: VerifyArchiveDeps,
  signal: AbortSignal
): Promise<{ summary: VerifySummary; failure: CodedError | null }> {
  const counts = { checked: 0, intact: 0, changed: 0, missing: 0, unreadable: 0, differences: 0 };
  const findings: Finding[] = [];
  let failure: CodedError | null = null;
  const tell = (finding: Finding): void => {
    counts.differences += 1;
    if (findings.length < MOST_LISTED) findings.push(finding);
  };
  const log = await verifiedLog(directory, tell, signal);
  for await (const { key, file } of files) {
    const state = await read(file.recording);
    const now = current(key)?.recording;
    // It was deleted or stored again meanwhile.
    if (now?.stored_at !== file.recording.stored_at) continue;
    const where = locationOf(file.recording) ?? '';
    counts.checked += 1;
    if (state.kind === 'unreadable') {
      counts.unreadable += 1;
      failure ??= state.error;
    } else if (state.kind === 'missing') {
      counts.missing += 1;
      tell({ where, text: 'It is not there, and nobody has deleted it with this package.' });
    } else if (state.sha256 === file.recording.sha256) counts.intact += 1;
    else {
      counts.changed += 1;
      tell({ where, text: 'It was changed: its SHA-256 is not the one with which it was stored.' });
    }
    onChecked(counts.checked);
    signal.throwIfAborted();
  }
  return { summary: { ...counts, log, findings, complete: counts.unreadable === 0 }, failure };
}

async function verifiedLog(
  directory: string,
  onFinding: (finding: Finding) => void,
  signal: AbortSignal
): Promise<VerifySummary['log']> {
  if ((await custodyFiles(directory)).length === 0) return null;
  const { files, lines, checkpoints, anchors, signedUpTo } = await verifyLog({
    ...{ directory, pinned: null, onFinding, signal },
    judgeStamp: (stamp, bytes) => judgeStamp(stamp, bytes, { nonce: null, roots: [] }),
    onLine: () => undefined,
    onFile: () => undefined
  });
  return { files, lines, checkpoints, anchors, signed_up_to: signedUpTo };
}
