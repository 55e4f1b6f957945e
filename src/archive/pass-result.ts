import { CodedError } from '../errors/coded-error';
import { isErrorCode } from '../errors/codes';
import type { RecordingReference } from '../recording/recording-reference';
import { gaveUp, unexpected } from './archive-faults';
import type { FileNote } from './archive-job';
import { backoffMs } from './backoff';
import type { IndexedFile } from './stored-index';
import type { StoredFile } from './stored-recording';

interface OneFile {
  reference: RecordingReference;
  /** Null when nothing said it before the bytes did. */
  wantedFormat: string | null;
}

/** How one file of an order ended. */
export type FileOutcome =
  | (OneFile & { kind: 'stored'; file: StoredFile; entry: IndexedFile | null })
  | (OneFile & { kind: 'failed'; error: CodedError; attempts: number });

/** What one pass did for a file. */
export type FileResult =
  | FileOutcome
  | (OneFile & { kind: 'again'; error: CodedError; pauseMs: number; attempts: number })
  | { kind: 'stopped' };

/** What one pass did for an order. */
export type PassResult = {
  /** What was stored in this pass, for the index. */
  entries: IndexedFile[];
} & (
  | { kind: 'ended'; outcomes: FileOutcome[] }
  | { kind: 'again'; pauseMs: number; reason: CodedError }
  | { kind: 'stopped' }
);

/** Adds up what a pass did for the files of an order. */
export function passResult(results: FileResult[], stopped: boolean): PassResult {
  const entries = results.flatMap((result) => (result.kind === 'stored' ? (result.entry ?? []) : []));
  const outcomes: FileOutcome[] = [];
  let again: Extract<FileResult, { kind: 'again' }> | undefined;
  for (const result of results) {
    if (result.kind === 'stored' || result.kind === 'failed') outcomes.push(result);
    else if (result.kind === 'again' && result.pauseMs >= (again?.pauseMs ?? 0)) again = result;
  }
  // A closed node sends nothing: its successor has to find the order, and finds the files stored.
  if (stopped) return { kind: 'stopped', entries };
  if (again !== undefined) return { kind: 'again', entries, pauseMs: again.pauseMs, reason: again.error };
  return { kind: 'ended', entries, outcomes };
}

/**
 * Decides what a fault means for a file: another attempt after a pause, or the end.
 *
 * @param note brought up to date
 * @param error undefined when the note already says that it ended
 * @param random from 0 to 1
 */
export function judgeFault(
  note: FileNote,
  error: unknown,
  retries: number,
  random: () => number
): { kind: 'failed'; error: CodedError } | { kind: 'again'; error: CodedError; pauseMs: number } {
  if (note.failed !== undefined) {
    const { code, message } = note.failed;
    return { kind: 'failed', error: new CodedError(isErrorCode(code) ? code : 'GAVE_UP', message) };
  }
  let fault = error instanceof CodedError ? error : unexpected(error);
  if (fault.retryable) {
    note.failures += 1;
    if (note.failures <= retries) {
      return { kind: 'again', error: fault, pauseMs: backoffMs(note.failures, random(), fault.retryAfterMs) };
    }
    fault = gaveUp(fault, Math.max(note.attempts, note.failures));
  }
  note.failed = { code: fault.code, message: fault.message };
  return { kind: 'failed', error: fault };
}
