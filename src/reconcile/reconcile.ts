import type { ArchiveFacts } from '../archive/archive-facts';
import { unexpected } from '../archive/download/archive-faults';
import { CodedError } from '../errors/coded-error';
import type { Tombstones } from '../evidence/deletion/tombstones';
import type { ListedBatch } from '../providers/provider';
import type { RecordingOrigin } from '../recording/origin';
import {
  type ListCounts,
  type ListedKind,
  type WantedRecording,
  compareList,
  noCounts
} from './compare-list';
import { type RebuildCounts, type RebuildParts, noRebuildCounts, rebuildIndex } from './rebuild-index';
import {
  type DamagedFile,
  type VerifyCounts,
  type VerifyParts,
  noVerifyCounts,
  verifyStored
} from './verify-stored';

/** The payload of the second output. Its counts are those of recordings. Times are ISO 8601 UTC. */
export interface RunSummary extends ListCounts {
  /** Messages sent to the first output. */
  emitted: number;
  from: string | null;
  to: string | null;
  /** False: something may be missing from what was listed or checked; `errors` says why. */
  complete: boolean;
  errors: { code: string; message: string }[];
  /**
   * How far the lists got, by creation; null when one of them did not begin or is not in chronological order.
   */
  listed_through: string | null;
  started_at: string;
  ended_at: string | null;
  /** When transcripts were listed. */
  transcripts?: ListCounts;
  /** With `msg.verify` only. */
  verify?: VerifyCounts;
  /** With `msg.rebuild` only. */
  rebuild?: RebuildCounts;
}

export type Phase = 'rebuild' | 'list' | 'transcripts' | 'verify';

/** What a run does; phases that are null are left out. */
export interface RunPlan {
  /** Whose list it is. */
  origin: RecordingOrigin;
  only: 'missing' | 'all';
  /** Milliseconds since 1970. */
  from: number | null;
  to: number | null;
  rebuild: Pick<RebuildParts, 'folder' | 'index' | 'origins' | 'commit' | 'deletions'> | null;
  list: AsyncIterable<ListedBatch> | null;
  transcripts?: AsyncIterable<ListedBatch> | null;
  verify: Pick<VerifyParts, 'read'> | null;
}

export type Emitted =
  { kind: 'recording'; recording: WantedRecording } | { kind: 'damaged'; file: DamagedFile };

interface RunParts {
  facts: Pick<ArchiveFacts, 'find' | 'steps'>;
  /** What was deleted here. */
  tombstones: Pick<Tombstones, 'has'>;
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
 * again, lists the provider's recordings, then its transcripts, which are filed beside them. The order avoids checking files that the list fetches. A failed phase
 * does not prevent the next one.
 *
 * @returns the summary, and the first failure of a phase
 * @throws `signal.reason` when aborted, nothing else
 */
export async function reconcile(
  plan: RunPlan,
  { facts, tombstones, emit, onProgress, now, signal }: RunParts
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

  const { rebuild, list, transcripts = null, verify } = plan;
  if (rebuild !== null) {
    const counts = (summary.rebuild = noRebuildCounts());
    const onSidecar = (): void => onProgress(summary, 'rebuild');
    const onKept = (error: CodedError): void => noteError(summary, error);
    const told = { emit: damaged, onSidecar, onKept };
    await phase('rebuild', () => rebuildIndex({ ...rebuild, ...told, signal }, counts));
  }
  if (verify !== null) {
    const counts = (summary.verify = noVerifyCounts());
    const told = {
      onFile: () => onProgress(summary, 'verify'),
      onUnreadable: (error: CodedError) => noteError(summary, error)
    };
    await phase('verify', () => verifyStored({ ...verify, ...told, facts, emit: damaged, signal }, counts));
  }
  const throughs = new Map<ListedKind, number | null>();
  const compare = async (what: ListedKind, listed: AsyncIterable<ListedBatch>): Promise<void> => {
    const name = what === 'recordings' ? 'list' : what;
    throughs.set(what, null);
    const counts = what === 'recordings' ? summary : (summary.transcripts = noCounts());
    const comparison = {
      origin: plan.origin,
      what,
      only: plan.only,
      facts,
      tombstones,
      emit: (recording: WantedRecording) => hand({ kind: 'recording', recording }),
      onGap: (gap: CodedError) => noteError(summary, gap),
      onBatch: (_counts: unknown, { through }: ListedBatch) => {
        if (through !== null) throughs.set(what, through);
        summary.listed_through = isoOrNull(earliest(throughs.values()));
        onProgress(summary, name);
      }
    };
    await phase(name, () => compareList(listed, comparison, counts));
    summary.listed_through = isoOrNull(earliest(throughs.values()));
  };
  if (list !== null) await compare('recordings', list);
  if (transcripts !== null) await compare('transcripts', transcripts);
  signal.throwIfAborted();
  summary.ended_at = new Date(now()).toISOString();
  return { summary, failure };
}

/** Null when one of the times is. */
function earliest(times: Iterable<number | null>): number | null {
  let first = Infinity;
  for (const time of times) {
    if (time === null) return null;
    first = Math.min(first, time);
  }
  return Number.isFinite(first) ? first : null;
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
