import type { StateChange, StateCollection } from '../../state/state-database';
import type { Place } from '../log/delivery-log';

/** How long an accepted delivery waits for its node, which may be disabled or deleted meanwhile. */
export const WAITING_MS = 7 * 24 * 60 * 60 * 1000;

/** A delivery that was accepted and not yet handed over. */
export interface Waiting {
  days: number;
  scope: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  place: Place;
  /** Whether the database lists it. */
  isSaved: boolean;
}

/** As the database lists it. */
export type WaitingKey = [days: number, sequence: number];
export type SavedWaiting = [scope: string, receivedAt: number, segment: number, at: number, length: number];

/** Those that the database lists for a number of days. */
export function* savedWaiting(saved: StateCollection<SavedWaiting>, days: number): Iterable<Waiting> {
  for (const { key, value } of saved.range({ start: [days], end: [days, Number.MAX_VALUE] })) {
    const [, sequence] = key as WaitingKey;
    const [scope, receivedAt, segment, at, length] = value;
    yield { days, scope, receivedAt, place: { segment, at, length, sequence }, isSaved: true };
  }
}

/** The change that lists one. */
export function savingWaiting(saved: StateCollection<SavedWaiting>, waiting: Waiting): StateChange {
  const { days, scope, receivedAt, place } = waiting;
  const { segment, at, length, sequence } = place;
  return saved.putting([days, sequence], [scope, receivedAt, segment, at, length]);
}

/** Whether one of them is between two sequences (first included, end excluded) of a log. */
export function isAnyWithin(
  waiting: Iterable<Waiting>,
  { days, first, end }: { days: number; first: number; end: number }
): boolean {
  for (const { days: its, place } of waiting)
    if (its === days && first <= place.sequence && place.sequence < end) return true;
  return false;
}
