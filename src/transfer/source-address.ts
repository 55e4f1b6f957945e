import { isIP } from 'node:net';
import { CodedError } from '../errors/coded-error';
import { parseUrl } from '../values/fields';
import { isPublicAddress } from './public-address';
import type { NetworkPolicy } from './transfer-types';

/** An address that passed the rules which its text alone can break. */
interface CheckedAddress {
  url: URL;
  /** Path and query byte for byte. */
  target: string;
  /** `Basic …` from `user:password@` in the address, under the policy `any` only. */
  authorization: string | undefined;
}

/**
 * Checks an address before anything is sent. Names are checked again when they are resolved, at
 * the socket (`source-request.ts`): only there it is certain which machine is contacted.
 *
 * @param isPublic which literal addresses count as public; replaced in tests
 * @throws CodedError `UNSUPPORTED_URL`, `UNSAFE_URL`; neither is worth a retry
 */
export function checkAddress(
  address: string,
  policy: NetworkPolicy,
  isPublic: (address: string) => boolean = isPublicAddress
): CheckedAddress {
  const sorted = urlKind(address);
  if (sorted.kind === 'unsupported') throw new CodedError('UNSUPPORTED_URL', sorted.advice);
  if (sorted.kind === 'refused')
    throw new CodedError('UNSAFE_URL', `The address was not contacted: ${sorted.reason}.`);
  const { url } = sorted;
  if (policy === 'public-https') {
    if (sorted.kind === 'http')
      throw unsafe(url, 'it is plain http, where anybody on the way can read or replace the recording');
    if (url.username !== '' || url.password !== '') throw unsafe(url, 'it carries a user name or password');
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isPublic(literal)) throw unsafe(url, 'it is not a public address');
    if (/(^|\.)localhost\.?$/.test(url.hostname)) throw unsafe(url, 'it names this machine');
  }
  return { url, target: requestTarget(address, url), authorization: basicAuthorization(url) };
}

/** The refusal of one host, with what the user can do about it. */
export function unsafe(url: Pick<URL, 'host'>, reason: string): CodedError {
  return new CodedError(
    'UNSAFE_URL',
    `${url.host} was not contacted: ${reason}. Only public https hosts are allowed. If this host is really meant, ` +
      'choose "any address, also http and private networks" under "Advanced", "Addresses" in the recording download node.'
  );
}

function basicAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const [user, password] = [url.username, url.password].map(percentDecoded);
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What an address is, as far as its text tells. */
type UrlKind =
  | { kind: 'http'; url: URL }
  | { kind: 'https'; url: URL }
  | { kind: 'unsupported'; advice: string }
  | { kind: 'refused'; reason: string };

/** RFC 1035, 2.3.4, and a dot at the end. */
const LONGEST_HOST = 254;

const AZURE_BLOB_HOST = /\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)$/;

/**
 * Sorts the addresses that Telnyx puts into events. Recordings kept in a customer's own storage are
 * announced by their place in that storage (`s3://`, `gs://`, Azure blob without a signature), which
 * plain HTTP cannot fetch.
 *
 * @param address as it arrived
 * @returns texts hold neither path nor query of the address
 */
export function urlKind(address: string): UrlKind {
  const url = parseUrl(address);
  if (url === null)
    return { kind: 'refused', reason: 'it is not a complete URL, or longer than any that works' };
  if (url.hostname.length > LONGEST_HOST)
    return { kind: 'refused', reason: 'its host name is longer than any that exists' };
  switch (url.protocol) {
    case 's3:':
      return { kind: 'unsupported', advice: ownStorage('an Amazon S3 (or compatible) bucket') };
    case 'gs:':
      return { kind: 'unsupported', advice: ownStorage('a Google Cloud Storage bucket') };
    case 'http:':
    case 'https:':
      if (AZURE_BLOB_HOST.test(url.hostname) && !url.searchParams.has('sig'))
        return { kind: 'unsupported', advice: ownStorage('an Azure blob container') };
      return { kind: url.protocol === 'http:' ? 'http' : 'https', url };
    default:
      return { kind: 'refused', reason: `"${url.protocol}" is neither https nor http` };
  }
}

function ownStorage(place: string): string {
  return (
    `The recording is in ${place} of your own (custom storage of the Telnyx connection); its link cannot be ` +
    'downloaded without the credentials of that storage. It is already in your hands: fetch it with a storage ' +
    'client, or remove the custom storage of the connection so that Telnyx keeps new recordings.'
  );
}

/**
 * The request target of an address byte for byte, because a signature covers it. The normalised
 * form is used only where the bytes could be read in two ways or cannot be sent.
 *
 * @param address as it arrived; @param url the same, parsed
 * @returns path and query, without the fragment; starts with `/`
 */
export function requestTarget(address: string, url: URL): string {
  const normalised = url.pathname + url.search;
  // Backslashes, blanks and control characters are where parsers disagree on the end of the host.
  if (/[^\x21-\x7e]|\\/.test(address)) return normalised;
  const exact = /^https?:\/\/[^/?#]+(\/[^#]*)/i.exec(address)?.[1];
  return exact ?? normalised;
}

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
