import { CodedError } from '../../errors/coded-error';
import { rootCause } from '../../errors/root-cause';
import type { DeletionOutcome, Deletions } from '../../evidence/deletion/deletions';
import type { DeletionReason } from '../../evidence/deletion/tombstones';
import type { FoundFile } from '../search/archive-search';
import {
  type ActedFile,
  actedFile,
  clockText,
  type FailedFile,
  type RefusedFile,
  refusedFile,
  requestOf
} from './acted-file';

/** What was deleted, or would be. Of each list the first files only; the counts are of all. */
export interface DeletionSummary {
  /** Files that were to be deleted. */
  due: number;
  /** Files that were deleted; in a dry run those that would be. */
  deleted: number;
  /** Bytes of them. */
  bytes: number;
  refused: number;
  failed: number;
  /** False: something is left, because of the limit or a failure. */
  complete: boolean;
  /** Why the clock of the machine could not decide what is due; null: it could. */
  clock_doubt: string | null;
  files: ActedFile[];
  refusals: RefusedFile[];
  failures: FailedFile[];
}

export interface DeleteFilesOptions {
  reason: DeletionReason;
  /** As `DeletionRequest.actor`. */
  actor: string;
  isDryRun: boolean;
  /** Files that are deleted at most. */
  most: number;
  onProgress: (summary: Readonly<DeletionSummary>) => void;
}

export interface DeleteFilesDeps {
  deletions: Pick<Deletions, 'delete' | 'wouldRefuse'>;
  /** The places of the buckets that can be reached; asked each time. */
  places: () => Iterable<string>;
}

/** Files of a list of a summary: it becomes a message. */
export const MOST_LISTED = 1000;

/** So many in a row are no matter of single files: the disk, the network or the log is away. */
const MOST_FAILURES = 20;

/**
 * Deletes files, or says what would become of them. One that is refused or fails does not keep the others; a clock that is
 * in doubt keeps all that have a date.
 *
 * @returns the summary, and the first failure
 * @throws `signal.reason` when aborted; what was begun by then is finished
 */
export async function deleteFiles(
  files: AsyncIterable<FoundFile>,
  { reason, actor, isDryRun, most, onProgress }: DeleteFilesOptions,
  { deletions, places }: DeleteFilesDeps,
  signal: AbortSignal
): Promise<{ summary: DeletionSummary; failure: CodedError | null }> {
  const summary = newSummary();
  let failure: CodedError | null = null;
  let inARow = 0;
  for await (const found of files) {
    if (summary.deleted >= most || inARow >= MOST_FAILURES) {
      summary.complete = false;
      break;
    }
    summary.due += 1;
    try {
      const request = requestOf(found, places(), { reason, actor });
      const outcome: DeletionOutcome | null = isDryRun ? null : await deletions.delete(request);
      const refusal =
        outcome === null ? deletions.wouldRefuse(request) : outcome.deleted ? null : outcome.refusal;
      inARow = 0;
      if (refusal === null) noteDeleted(summary, found);
      else {
        note(summary.refusals, refusedFile(found, refusal, reason));
        summary.refused += 1;
        if (refusal.kind === 'clock' && reason === 'expired') return clockInDoubt(refusal.doubt, summary);
      }
    } catch (error) {
      inARow += 1;
      const failed = asCoded(error);
      failure ??= failed;
      summary.failed += 1;
      summary.complete = false;
      note(summary.failures, { ...actedFile(found), code: failed.code, message: failed.message });
    }
    onProgress(summary);
    signal.throwIfAborted();
  }
  return { summary, failure };
}

/**
 * Finishes what a crash or an unreachable place has interrupted, and carries out the erasures that waited for a release.
 *
 * @returns how many files were deleted, and the first failure: what is left is tried again
 */
export async function finishDecided(
  deletions: Pick<Deletions, 'resume' | 'runDeferred'>
): Promise<{ finished: number; failure: CodedError | null }> {
  const { finished, failed } = await deletions.resume();
  const failure = failed.length === 0 ? null : asCoded(failed[0]);
  try {
    return { finished: finished + (await deletions.runDeferred()), failure };
  } catch (error) {
    return { finished, failure: failure ?? asCoded(error) };
  }
}

/** Those of some files whose date to be deleted has come. @param now milliseconds since 1970 */
export async function* expired(
  files: AsyncIterable<FoundFile>,
  now: () => number
): AsyncGenerator<FoundFile> {
  for await (const found of files)
    // A date that cannot be read is one that has not come.
    if (now() >= Date.parse(found.file.recording.retention?.delete_after ?? '')) yield found;
}

/** The end of a sweep that cannot say whether a date has passed. @param doubt as `ClockGuard.doubt` */
export function clockInDoubt(
  doubt: string,
  summary = newSummary()
): { summary: DeletionSummary; failure: CodedError } {
  const failure = new CodedError('DELETION_REFUSED', clockText(doubt), { retryable: true });
  return { summary: { ...summary, complete: false, clock_doubt: doubt }, failure };
}

function newSummary(): DeletionSummary {
  const counts = { due: 0, deleted: 0, bytes: 0, refused: 0, failed: 0 };
  return { ...counts, complete: true, clock_doubt: null, files: [], refusals: [], failures: [] };
}

function noteDeleted(summary: DeletionSummary, found: FoundFile): void {
  const file = actedFile(found);
  summary.deleted += 1;
  summary.bytes += file.size;
  note(summary.files, file);
}

function note<Item>(list: Item[], item: Item): void {
  if (list.length < MOST_LISTED) list.push(item);
}

function asCoded(error: unknown): CodedError {
  return error instanceof CodedError
    ? error
    : new CodedError('STORE_FAILED', rootCause(error), { cause: error });
}
