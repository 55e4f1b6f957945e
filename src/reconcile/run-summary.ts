import type { CodedError } from '../errors/coded-error';
import { noCounts, type ListCounts } from './compare-list';
import type { RebuildCounts } from './rebuild-index';
import type { VerifyCounts } from './verify-stored';

/** The payload of the second output. Times are ISO 8601 UTC. */
export interface RunSummary extends ListCounts {
  /** Messages sent to the first output. */
  emitted: number;
  from: string | null;
  to: string | null;
  /** False: something may be missing from what was listed or checked; `errors` says why. */
  complete: boolean;
  errors: { code: string; message: string }[];
  /** How far the list came, by creation; null when it did not begin or is not in the order of time. */
  listed_through: string | null;
  started_at: string;
  ended_at: string | null;
  /** With `msg.verify` only. */
  verify?: VerifyCounts;
  /** With `msg.rebuild` only. */
  rebuild?: RebuildCounts;
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

/** Notes why something may be missing; the same reason once. */
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
