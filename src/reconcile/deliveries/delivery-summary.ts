import { unexpected } from '../../archive/download/archive-faults';
import { CodedError } from '../../errors/coded-error';
import { isoOrNull, noteError } from '../reconcile';

/** The payload of the second output of a delivery list. Times are ISO 8601 UTC. */
export interface DeliverySummary {
  /** Deliveries in the span. */
  listed: number;
  /** How many of those asked for this Node-RED has accepted. */
  known: number;
  /** Messages sent to the first output. */
  emitted: number;
  /** Sent only to other addresses of the account. */
  elsewhere: number;
  /** Events of other types than those asked for. */
  other_types: number;
  /** Without an event that could be sent on; then `complete` is false. */
  unreadable: number;
  from: string | null;
  to: string | null;
  /** False: something may be missing from what was listed; `errors` says why. */
  complete: boolean;
  errors: { code: string; message: string }[];
  /** How far the list got; null when it did not begin. */
  listed_through: string | null;
  started_at: string;
  ended_at: string | null;
}

/** How a run ended: the summary, and what made it incomplete. */
export interface DeliveryRun {
  summary: DeliverySummary;
  failure: CodedError | null;
}

/** All times in milliseconds since 1970. */
export function newDeliverySummary(from: number | null, to: number, now: number): DeliverySummary {
  return {
    listed: 0,
    known: 0,
    emitted: 0,
    elsewhere: 0,
    other_types: 0,
    unreadable: 0,
    from: isoOrNull(from),
    to: isoOrNull(to),
    complete: true,
    errors: [],
    listed_through: null,
    started_at: new Date(now).toISOString(),
    ended_at: null
  };
}

/**
 * Does the work of a run. An error goes into the summary.
 *
 * @param now milliseconds since 1970
 * @throws `signal.reason` when aborted, nothing else
 */
export async function summarised(
  summary: DeliverySummary,
  work: () => Promise<void>,
  now: () => number,
  signal: AbortSignal
): Promise<DeliveryRun> {
  let failure: CodedError | null = null;
  try {
    await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    failure = error instanceof CodedError ? error : unexpected(error);
    noteError(summary, failure);
  }
  signal.throwIfAborted();
  summary.ended_at = new Date(now()).toISOString();
  return { summary, failure };
}
