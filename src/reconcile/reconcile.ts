import { unexpected } from '../archive/download/archive-faults';
import type { StoredRecordings } from '../archive/index/stored-index';
import { CodedError } from '../errors/coded-error';
import type { ListedBatch } from '../providers/provider';
import type { RecordingOrigin } from '../recording/origin';
import { type ListCounts, type WantedRecording, compareList, noCounts } from './compare-list';
import { type RebuildCounts, type RebuildParts, noRebuildCounts, rebuildIndex } from './rebuild-index';
import {
  type DamagedFile,
  type VerifyCounts,
  type VerifyParts,
  noVerifyCounts,
  verifyStored
} from './verify-stored';

/** The payload of the second output. Times are ISO 8601 UTC. */
export interface RunSummary extends ListCounts {
  /** Messages sent to the first output. */
  emitted: number;
  from: string | null;
  to: string | null;
  /** False: something may be missing from what was listed or checked; `errors` says why. */
  complete: boolean;
  errors: { code: string; message: string }[];
  /** How far the list got, by creation; null when it did not begin or is not in chronological order. */
  listed_through: string | null;
  started_at: string;
  ended_at: string | null;
  /** With `msg.verify` only. */
  verify?: VerifyCounts;
  /** With `msg.rebuild` only. */
  rebuild?: RebuildCounts;
}

export type Phase = 'rebuild' | 'list' | 'verify';

/** What a run does; phases that are null are left out. */
export interface RunPlan {
  /** Whose list it is. */
  origin: RecordingOrigin;
  only: 'missing' | 'all';
  /** Milliseconds since 1970. */
  from: number | null;
  to: number | null;
  rebuild: Pick<RebuildParts, 'folder' | 'index' | 'origins' | 'commit'> | null;
  list: AsyncIterable<ListedBatch> | null;
  verify: Pick<VerifyParts, 'read'> | null;
}

export type Emitted =
  { kind: 'recording'; recording: WantedRecording } | { kind: 'damaged'; file: DamagedFile };

interface RunParts {
  recordings: StoredRecordings;
  /** Sends something to the flow; resolves when the next one may follow. */
  emit: (emitted: Emitted) => Promise<void>;
  /** Called often; a caller that shows it must throttle it. */
  onProgress: (summary: RunSummary, phase: Phase) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  signal: AbortSignal;
}

/**
 * Finds what the archive lacks. In this order, as planned: reads sidecars into the index, reads stored files
 * again, lists the provider's recordings. The order avoids checking files that the list fetches. A failed phase
 * does not prevent the next one.
 *
 * @returns the summary, and the first failure of a phase
 * @throws `signal.reason` when aborted, nothing else
 */
export async function reconcile(
  plan: RunPlan,
  { recordings, emit, onProgress, now, signal }: RunParts
): Promise<{ summary: RunSummary; failure: CodedError | null }> {
  const summary = newSummary(plan.from, plan.to, now());
  let failure: CodedError | null = null;
  const hand = async (emitted: Emitted): Promise<void> => {
    await emit(emitted);
    summary.emitted += 1;
  };
  const damaged = (file: DamagedFile): Promise<void> => hand({ kind: 'damaged', file });
  const phase = async (name: Phase, work: () => Promise<void>): Promise<void> => {
    onProgress(summary, name);
    try {
      await work();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const fault = error instanceof CodedError ? error : unexpected(error);
      noteError(summary, fault);
      failure ??= fault;
    }
  };

  const { rebuild, list, verify } = plan;
  if (rebuild !== null) {
    const counts = (summary.rebuild = noRebuildCounts());
    const onSidecar = (): void => onProgress(summary, 'rebuild');
    await phase('rebuild', () => rebuildIndex({ ...rebuild, emit: damaged, onSidecar, signal }, counts));
  }
  if (verify !== null) {
    const counts = (summary.verify = noVerifyCounts());
    const told = {
      onFile: () => onProgress(summary, 'verify'),
      onUnreadable: (error: CodedError) => noteError(summary, error)
    };
    await phase('verify', () =>
      verifyStored({ ...verify, ...told, recordings, emit: damaged, signal }, counts)
    );
  }
  if (list !== null) {
    const comparison = {
      origin: plan.origin,
      only: plan.only,
      recordings,
      emit: (recording: WantedRecording) => hand({ kind: 'recording', recording }),
      onGap: (gap: CodedError) => noteError(summary, gap),
      onBatch: (_counts: unknown, { through }: ListedBatch) => {
        if (through !== null) summary.listed_through = isoOrNull(through);
        onProgress(summary, 'list');
      }
    };
    await phase('list', () => compareList(list, comparison, summary));
  }
  signal.throwIfAborted();
  summary.ended_at = new Date(now()).toISOString();
  return { summary, failure };
}

const MOST_ERRORS = 20;

/** @param now milliseconds since 1970 */
export function newSummary(from: number | null, to: number | null, now: number): RunSummary {
  return {
    ...noCounts(),
    emitted: 0,
    from: isoOrNull(from),
    to: isoOrNull(to),
    complete: true,
    errors: [],
    listed_through: null,
    started_at: new Date(now).toISOString(),
    ended_at: null
  };
}

/** Notes why something may be missing; each reason once. */
export function noteError(
  summary: Pick<RunSummary, 'complete' | 'errors'>,
  { code, message }: CodedError
): void {
  summary.complete = false;
  const isKnown = summary.errors.some((error) => error.message === message);
  if (!isKnown && summary.errors.length < MOST_ERRORS) summary.errors.push({ code, message });
}

export function isoOrNull(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
