import type { Place } from '../log/delivery-log';

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
