import { fieldOf, textField, type Fields } from '../../values/fields';

/** Longer values are no identity that a sender gives, and would not fit as a key of the journal. */
const LONGEST_ID = 256;

/**
 * The first of several values that can serve as a body's own identity: a string of 1 to 256
 * characters. Numbers are left out: JSON numbers lose digits, and two events with one identity
 * would be taken for duplicates.
 */
export function firstId(...values: readonly unknown[]): string | null {
  for (const value of values) {
    if (typeof value === 'string' && value !== '' && value.length <= LONGEST_ID) return value;
  }
  return null;
}

/** How often the delivery was tried and where it was sent, from `meta` (or a record that holds the same). */
export function deliveryMeta(meta: Fields | null): {
  attempt: number | null;
  delivered_to: string | null;
} {
  const attempt = fieldOf(meta, 'attempt');
  return {
    attempt: typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt >= 0 ? attempt : null,
    delivered_to: textField(meta, 'delivered_to')
  };
}
