import type { VerifiedBy } from '../events/event';

// What happens right now, as people look at it. Nothing here is a phone number, a link or a secret.

/** One delivery. Several in a row that a node refuses for the same reason are one, with a `count`. */
export interface DeliveryRow {
  id: number;
  /** Rises with each row, and with each change of one. */
  seq: number;
  /** Id of the webhook node. */
  node: string;
  /** Milliseconds since 1970. */
  at: number;
  outcome: 'accepted' | 'duplicate' | 'refused';
  /** Null when it was refused before anybody could know. */
  type: string | null;
  verified: VerifiedBy | null;
  /** Why it was refused; else null. */
  code: string | null;
  /** As `code`, as a sentence. */
  reason: string | null;
  /** The flow gets it again, or later than others. */
  again: 'recovered' | 'replayed' | null;
  count: number;
}

/** How many there were. */
export interface Totals {
  /** Deliveries. */
  accepted: number;
  duplicates: number;
  refused: number;
  /** Files, and their bytes. Not those that were there already. */
  stored: number;
  bytes: number;
  /** Files that were given up. */
  failed: number;
}

export const NO_TOTALS: Readonly<Totals> = {
  accepted: 0,
  duplicates: 0,
  refused: 0,
  stored: 0,
  bytes: 0,
  failed: 0
};

export const TOTALS = Object.keys(NO_TOTALS) as readonly (keyof Totals)[];

/** The totals of a quarter of an hour. */
export interface Quarter extends Totals {
  /** Its begin, in milliseconds since 1970. */
  from: number;
}

/** Milliseconds. All time zones are whole quarters of an hour apart, so a day of any of them is made of these. */
export const QUARTER_MS = 15 * 60 * 1000;

/** How long quarters are kept: a day, and the one before for those who look at it late. Milliseconds. */
export const KEPT_MS = 48 * 60 * 60 * 1000;
