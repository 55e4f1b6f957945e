import { CodedError } from '../../errors/coded-error';
import { type ErrorCode, isErrorCode } from '../../errors/codes';
import type { Tombstone } from '../../evidence/deletion/tombstones';
import type { RecordingReference } from '../../recording/recording-reference';
import { gaveUp, unexpected } from '../download/archive-faults';
import type { FileNote } from './job';
import { backoffMs } from '../../clock/backoff';
import type { IndexedFile } from '../index/stored-index';
import type { StoredFile } from '../../store/stored-recording';

interface OneFile {
  reference: RecordingReference;
  /** Null if only the bytes show it. */
  wantedFormat: string | null;
}

/** Another attempt is worthwhile, after a pause. */
export interface Again {
  kind: 'again';
  error: CodedError;
  pauseMs: number;
  /** Which retry is next, from 1. */
  retry: number;
  /** How many there are. */
  retries: number;
}

/** How one file of a job ended. */
export type FileOutcome =
  | (OneFile & { kind: 'stored'; file: StoredFile; entry: IndexedFile | null })
  | (OneFile & { kind: 'failed'; error: CodedError; attempts: number })
  /** It was deleted because its time was over, or somebody asked for it, so it is not stored again. */
  | (OneFile & { kind: 'deleted'; tombstone: Tombstone });

/** What one run did for a file. */
export type FileResult = FileOutcome | (OneFile & Again & { attempts: number }) | { kind: 'stopped' };

/** What one run did for a job. */
export type RunResult = {
  /** What was stored in this run, for the index. */
  entries: IndexedFile[];
} & ({ kind: 'ended'; outcomes: FileOutcome[] } | Again | { kind: 'stopped' });

/** Adds up what a run did for the files of a job. */
export function runResult(results: FileResult[], stopped: boolean): RunResult {
  const entries = results.flatMap((result) => (result.kind === 'stored' ? (result.entry ?? []) : []));
  const outcomes: FileOutcome[] = [];
  let again: Extract<FileResult, { kind: 'again' }> | undefined;
  for (const result of results) {
    if (result.kind !== 'again' && result.kind !== 'stopped') outcomes.push(result);
    else if (result.kind === 'again' && result.pauseMs >= (again?.pauseMs ?? 0)) again = result;
  }
  // A closed node sends nothing: its successor has to find the job, and finds the files stored.
  if (stopped) return { kind: 'stopped', entries };
  if (again !== undefined) {
    const { kind, error, pauseMs, retry, retries } = again;
    return { kind, entries, error, pauseMs, retry, retries };
  }
  return { kind: 'ended', entries, outcomes };
}

/**
 * Decides what a fault means for a file: another attempt after a pause, or the end.
 *
 * @param note updated in place
 * @param error undefined when the note already says that it ended
 * @param random from 0 to 1
 */
export function judgeFault(
  note: FileNote,
  error: unknown,
  retries: number,
  random: () => number
): { kind: 'failed'; error: CodedError } | Again {
  if (note.failed !== undefined) return { kind: 'failed', error: failedBefore(note.failed) };
  let fault = error instanceof CodedError ? error : unexpected(error);
  if (fault.retryable) {
    note.failures += 1;
    if (note.failures <= retries) {
      const pauseMs = backoffMs(note.failures, random(), fault.retryAfterMs);
      return { kind: 'again', error: fault, pauseMs, retry: note.failures, retries };
    }
    fault = gaveUp(fault, Math.max(note.attempts, note.failures));
  }
  const { code, message, trouble, cause } = fault;
  note.failed = { code, message, trouble };
  if (cause instanceof CodedError) note.failed.cause = { code: cause.code, message: cause.message };
  return { kind: 'failed', error: fault };
}

/** Rebuilds the error that a file ended with in an earlier run, perhaps in an earlier process. */
function failedBefore({ code, message, trouble, cause }: NonNullable<FileNote['failed']>): CodedError {
  return new CodedError(codeOf(code), message, {
    ...(trouble !== undefined && { trouble }),
    ...(cause !== undefined && { cause: new CodedError(codeOf(cause.code), cause.message) })
  });
}

function codeOf(code: string): ErrorCode {
  return isErrorCode(code) ? code : 'GAVE_UP';
}
