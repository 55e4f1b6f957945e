import { CodedError } from '../errors/coded-error';
import { readTime } from '../values/time';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000
};

/** In 1973 and in 9999: smaller and larger numbers do not count as milliseconds. */
const SMALLEST_MS = 1e11;
const LARGEST_MS = Date.UTC(9999, 11);

/** Some 50 years: longer spans before now reach back beyond every list, and some to years that no API can read. */
const LONGEST_SPAN_MS = 50 * 365 * 86_400_000;

/** A span of time; null where it is open. Milliseconds since 1970. */
export interface TimeRange {
  from: number | null;
  to: number | null;
}

/**
 * Reads the two ends of the span to list: each a time (ISO 8601, UTC without a zone; a date is its first
 * moment), a span before now (`90m`, `36h`, `7d`, `2w`), a number of milliseconds since 1970 or a Date.
 *
 * @param now milliseconds since 1970
 * @throws CodedError `BAD_SETTING`
 */
export function readRange(from: unknown, to: unknown, now: number): TimeRange {
  const range = { from: readMoment(from, 'From', now), to: readMoment(to, 'To', now) };
  if (range.from !== null && range.from >= (range.to ?? now))
    throw new CodedError(
      'BAD_SETTING',
      `"From" (${iso(range.from)}) must be before "To" (${iso(range.to ?? now)}). Correct one of them.`
    );
  return range;
}

/** Whether `readRange` accepts a text as one of its ends; blank is open. */
export function isMoment(text: string): boolean {
  try {
    readMoment(text, 'From', 0);
    return true;
  } catch {
    return false;
  }
}

function readMoment(value: unknown, name: string, now: number): number | null {
  if (value === undefined || value === null || value === '') return null;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  if (typeof value === 'number' && value > SMALLEST_MS && value < LARGEST_MS) return value;
  if (typeof value === 'string') {
    const text = value.trim();
    if (text === '') return null;
    const [, count, unit = ''] = /^(\d+(?:\.\d+)?) ?([smhdw])$/i.exec(text) ?? [];
    const span = Number(count) * (UNITS[unit.toLowerCase()] ?? NaN);
    if (span <= LONGEST_SPAN_MS) return now - span;
    const isCount = /^\d{1,8}(\.\d+)?$/.test(text);
    const time = isCount ? null : readTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
    if (time !== null) return Date.parse(time);
  }
  throw new CodedError(
    'BAD_SETTING',
    `"${name}" must be a time such as 2026-03-04T09:00:00Z, or a span before now such as 36h or 7d.`
  );
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
