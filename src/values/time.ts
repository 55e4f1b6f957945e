const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;
const RFC_2822 =
  /^(?:(?:mon|tue|wed|thu|fri|sat|sun),\s*)?(\d{1,2})\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s+(\d{4})\s+(\d{2}):(\d{2})(?::(\d{2}))?\s*(Z|UTC?|GMT|[+-]\d{2}:?\d{2})?$/i;
const EPOCH = /^\d{9,13}(?:\.\d{1,9})?$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Above this a count since 1970 is in milliseconds: as seconds it would be after the year 5000. */
const MILLISECONDS_FROM = 1e11;
/** 9999-12-31T23:59:59.999Z; later times have no four-digit year. */
const LATEST = 253_402_300_799_999;

/**
 * A sender's time as ISO 8601 UTC with milliseconds: the one reader of times from outside, so that an event, its
 * recording's details and the file's name agree.
 *
 * Reads what Telnyx and Daily were seen to send: `…Z` with or without decimals, an offset, no zone
 * (UTC), a space for the `T`, RFC 2822, seconds or milliseconds since 1970 as number or digits.
 * Decimals beyond milliseconds are cut off, so that a time never moves into the next second.
 *
 * @returns null when the value is not a readable time. Never throws.
 */
export function readTime(value: unknown): string | null {
  if (typeof value === 'number') return fromEpoch(value);
  // No time is longer; a megabyte of digits is not worth a look.
  if (typeof value !== 'string' || value.length > 64) return null;
  const text = value.trim();
  if (EPOCH.test(text)) return fromEpoch(Number(text));
  return fromIso(text) ?? fromRfc2822(text);
}

function fromEpoch(count: number): string | null {
  return toIso(Math.trunc(count > MILLISECONDS_FROM ? count : Math.round(count * 1e6) / 1e3));
}

function fromIso(text: string): string | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second = '0', decimals = '', zone] = match;
  const milliseconds = Number(decimals.padEnd(3, '0').slice(0, 3));
  const date = [Number(year), Number(month), Number(day)] as const;
  return fromParts(date, [Number(hour), Number(minute), Number(second), milliseconds], zone);
}

function fromRfc2822(text: string): string | null {
  const match = RFC_2822.exec(text);
  if (match === null) return null;
  const [, day, month = '', year, hour, minute, second = '0', zone] = match;
  const date = [Number(year), MONTHS.indexOf(month.toLowerCase()) + 1, Number(day)] as const;
  return fromParts(date, [Number(hour), Number(minute), Number(second), 0], zone);
}

function fromParts(
  [year, month, day]: readonly [number, number, number],
  [hour, minute, second, millisecond]: readonly [number, number, number, number],
  zone: string | undefined
): string | null {
  // 60 is a leap second.
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  // Date.UTC treats 30 February as 1 March; a date that moves is invalid.
  if (midnight.getUTCDate() !== day) return null;
  const offset = offsetMinutes(zone);
  if (offset === null) return null;
  return toIso(Date.UTC(year, month - 1, day, hour, minute - offset, second, millisecond));
}

function offsetMinutes(zone: string | undefined): number | null {
  if (zone === undefined || /^[A-Z]+$/i.test(zone)) return 0;
  const digits = zone.slice(1).replace(':', '');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2) || '0');
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function toIso(milliseconds: number): string | null {
  return milliseconds > 0 && milliseconds <= LATEST ? new Date(milliseconds).toISOString() : null;
}

/** The first of several values that is a readable time, normalised; null when none is. */
export function firstTime(...values: readonly unknown[]): string | null {
  for (const value of values) {
    const time = readTime(value);
    if (time !== null) return time;
  }
  return null;
}
