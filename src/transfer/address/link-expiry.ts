/**
 * When a signed link stops working, read from its own query: Signature Version 4
 * (`X-Amz-Date` + `X-Amz-Expires`, the same with `X-Goog-`), Version 2 (`Expires`, seconds since
 * 1970), Azure (`se`, ISO 8601).
 *
 * @returns milliseconds since 1970, or null when the link does not say
 */
export function linkExpiry(url: URL): number | null {
  const query = new Map<string, string>();
  for (const [name, value] of url.searchParams) query.set(name.toLowerCase(), value);
  for (const vendor of ['x-amz', 'x-goog']) {
    const signedAt = compactDate(query.get(`${vendor}-date`));
    const lifetime = wholeNumber(query.get(`${vendor}-expires`));
    if (signedAt !== null && lifetime !== null) return signedAt + lifetime * 1000;
  }
  if (query.has('signature')) {
    const seconds = wholeNumber(query.get('expires'));
    if (seconds !== null) return seconds * 1000;
  }
  if (query.has('sig')) {
    const until = Date.parse(query.get('se') ?? '');
    if (!Number.isNaN(until)) return until;
  }
  return null;
}

/**
 * How far this machine's clock may be off before a link is called dead without asking the server.
 * The same span as the default tolerance of webhook signatures.
 */
const CLOCK_TOLERANCE_MS = 300_000;

/** True when a link ended so long ago that asking the server is of no use. */
export function hasExpired(url: URL, now: number): boolean {
  const expiry = linkExpiry(url);
  return expiry !== null && now > expiry + CLOCK_TOLERANCE_MS;
}

/** `20260131T120000Z` */
function compactDate(text: string | undefined): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? null : time;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : null;
}
