import type { IncomingHttpHeaders } from 'node:http';

/** No server may delay a recording for longer; its link would be dead by then. */
const LONGEST_MS = 3_600_000;

/**
 * When the other side wants to be asked again: `retry-after-ms`, `Retry-After` (seconds or a date,
 * RFC 9110), `x-ratelimit-reset` (seconds until the limit is lifted, Telnyx "Rate limiting").
 *
 * @param now milliseconds since 1970; used for a date when the answer has no `Date` header
 * @returns milliseconds from now, at most one hour; undefined when nothing usable was sent
 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const wait =
    numberOf(headers['retry-after-ms']) ??
    seconds(headers['retry-after']) ??
    untilDate(headers['retry-after'], dateOf(headers.date) ?? now) ??
    seconds(headers['x-ratelimit-reset']);
  return wait === undefined ? undefined : Math.min(Math.max(0, Math.ceil(wait)), LONGEST_MS);
}

function seconds(header: string | string[] | undefined): number | undefined {
  const value = numberOf(header);
  return value === undefined ? undefined : value * 1000;
}

function numberOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,12}(\.\d{1,6})?$/.test(header.trim())
    ? Number(header)
    : undefined;
}

function untilDate(header: string | undefined, now: number): number | undefined {
  const date = dateOf(header);
  return date === undefined ? undefined : date - now;
}

function dateOf(header: string | undefined): number | undefined {
  if (header === undefined || !/[a-z]/i.test(header)) return undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : date;
}
