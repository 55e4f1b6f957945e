import { asText } from '../values/fields';

/** Seconds stay below this until the year 5138; milliseconds passed it in 1973. */
const LARGEST_SECONDS = 1e11;

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}:?\d{2})?$/i;
const RFC_2822 = /^(?:[a-z]{3}, )?\d{1,2} [a-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|GMT|UTC?)$/i;

/**
 * Reads a point in time as Telnyx and Daily spell it: ISO 8601 with 0 to 6 decimals, with `Z`, an
 * offset or no zone (then UTC), with a space for `T`; RFC 2822; Unix seconds or milliseconds.
 *
 * @returns ISO 8601 UTC with milliseconds, or null when it cannot be read
 */
export function readTime(value: unknown): string | null {
  const text = asText(value);
  // No time is longer; a megabyte of digits is not worth a look.
  if (text === null || text.length > 64) return null;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return toIso(number > LARGEST_SECONDS ? number : number * 1000);
  }
  const iso = ISO.exec(text);
  if (iso) return toIso(Date.parse(`${String(iso[1])}T${String(iso[2])}${(iso[3] ?? 'Z').toUpperCase()}`));
  // Date.parse alone would read a date into almost any text.
  return RFC_2822.test(text) ? toIso(Date.parse(text)) : null;
}

/** @returns null outside the years 1970 to 9999, which no recording has */
function toIso(epochMs: number): string | null {
  if (!Number.isFinite(epochMs) || epochMs <= 0 || epochMs >= Date.UTC(10000, 0)) return null;
  return new Date(epochMs).toISOString();
}
