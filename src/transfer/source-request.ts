import { isIP } from 'node:net';
import { CodedError } from '../errors/coded-error';
import type { AddressRule, Resolver } from '../http/http-agents';
import { HttpClient, type HttpClientOptions } from '../http/http-client';
import type { HttpResponse } from '../http/http-response';
import type { ProxyChoice } from '../http/proxy/proxy-choice';
import { parseUrl } from '../values/fields';
import { OVERLAP_BYTES } from '../store/last-bytes';
import { IN_AZURE, IN_BUCKET, IN_GOOGLE, type OwnBucketLinks } from './own-storage';
import { isPublicAddress, isPublicAnswer } from './public-address';
import type { HeldBytes, NetworkPolicy, TransferRequest } from './transfer-types';

/** The response at the end of the redirects. A caller that gets it must read or destroy `body`. */
export interface SourceResponse extends HttpResponse {
  /** Where it came from, after redirects. */
  url: URL;
}

/** The content type as sent, or the standard's default for a response without one. */
export function contentTypeOf({ headers }: SourceResponse): string {
  return headers['content-type'] ?? 'application/octet-stream';
}

const MAX_REDIRECTS = 5;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/**
 * Sends the GET and follows redirects by hand, because each hop must pass the address rules and
 * only the first origin may see the authorization.
 *
 * @param range `Range` and `If-Range` headers of a resumed transfer
 * @throws CodedError `UNSAFE_URL`, `UNSUPPORTED_URL`, `LINK_REFUSED`, `STALLED`; the signal's reason when aborted
 */
export async function requestResponse(
  request: TransferRequest,
  agents: TransferAgents,
  range: Record<string, string>
): Promise<SourceResponse> {
  let address = request.url;
  let firstOrigin: string | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const policy = policyFor(address, request, agents);
    const { url, target, authorization } = checkAddress(address, policy, agents.isPublic);
    firstOrigin ??= url.origin;
    // One-way: once a redirect leaves the first origin, no host gets the key again.
    if (url.origin !== firstOrigin) firstOrigin = '';
    const credentials = firstOrigin === '' ? undefined : (request.authorization ?? authorization);
    const response = await send(
      request,
      agents.client(policy),
      { url, target },
      {
        ...range,
        ...(credentials === undefined ? {} : { authorization: credentials })
      }
    );
    if (!REDIRECT_STATUSES.has(response.status)) return response;
    response.body.destroy();
    address = redirectTarget(response);
  }
  throw new CodedError(
    'LINK_REFUSED',
    `The link redirects more than ${MAX_REDIRECTS} times; it leads nowhere.`
  );
}

/** `own`: the address is one of the customer's own bucket. */
export function policyFor(
  address: string,
  { network }: Pick<TransferRequest, 'network'>,
  { own }: Pick<TransferAgents, 'own'>
): NetworkPolicy | 'own' {
  return own?.holds(address) === true ? 'own' : network;
}

async function send(
  request: TransferRequest,
  client: HttpClient,
  { url, target }: Pick<CheckedAddress, 'url' | 'target'>,
  headers: Record<string, string>
): Promise<SourceResponse> {
  const response = await client.request({
    origin: url.origin,
    path: target,
    method: 'GET',
    // Compressed bodies have other lengths and hashes than the file; `identity` asks for the file.
    headers: { accept: '*/*', 'accept-encoding': 'identity', ...headers },
    responseTimeoutMs: request.stallTimeoutMs,
    stallTimeoutMs: request.stallTimeoutMs,
    signal: request.signal
  });
  return { ...response, url };
}

function redirectTarget({ headers, url, status }: SourceResponse): string {
  const location = headers.location;
  if (location === undefined || location === '')
    throw new CodedError('LINK_REFUSED', `${url.host} answered ${status} without saying where to go.`);
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  try {
    return new URL(location, url).href;
  } catch {
    throw new CodedError('LINK_REFUSED', `${url.host} redirects to something that is not an address.`);
  }
}

/** Whether there is enough for an overlap; with less, starting over costs nothing. */
export function canResume(held: number): boolean {
  return held >= OVERLAP_BYTES;
}

/**
 * The headers that resume where the held bytes end (RFC 9110, 13.1.5 and 14.2). The last 4 kB held are
 * requested again: they show that both pieces belong to one file even if an ETag is reused, and a file that is
 * already complete returns these bytes instead of 416, which would not show whether it is still the same file.
 */
export function resumeHeaders(held: HeldBytes, etag: string): Record<string, string> {
  return { range: `bytes=${resumeStart(held)}-`, 'if-range': etag };
}

function resumeStart({ size, tail }: HeldBytes): number {
  return size - tail.length;
}

/** Whether an ETag vouches for every byte; weak ones do not, and cannot be sent in `If-Range`. */
export function strongEtag(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : null;
}

/**
 * What the answer to a resuming request means.
 * - `append`: 206 with exactly the wanted rest of the same file, up to its end
 * - `whole`: 200, the file changed or ranges are not served; its bytes replace the held ones
 * - `again`: anything that does not fit; ask for the file from the start
 * - `refused`: any other status
 *
 * @param size of the whole file as its first answer or the event stated it, or null. The same file cannot have
 *   another size, and without one nothing shows that the part reaches the end: a server may send less than asked for
 */
export function judgeResume(
  response: SourceResponse,
  held: HeldBytes,
  etag: string,
  size: number | null
): { verdict: 'append'; total: number } | { verdict: 'whole' | 'again' | 'refused' } {
  if (response.status === 200) return { verdict: 'whole' };
  if (response.status === 416) return { verdict: 'again' };
  if (response.status !== 206) return { verdict: 'refused' };
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(response.headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== resumeStart(held)) return { verdict: 'again' };
  // A server that ignores If-Range sends the rest of another file; its ETag shows that.
  if (response.headers.etag !== etag) return { verdict: 'again' };
  const total = range[3] === '*' ? size : Number(range[3]);
  if (total === null || Number(range[2]) >= total) return { verdict: 'again' };
  if (size !== null && total !== size) return { verdict: 'again' };
  return { verdict: 'append', total };
}

export interface TransferAgentOptions {
  /** Default: the system's resolver. */
  resolve?: Resolver;
  /** Which addresses the policy `public-https` may contact. Default: those of the public internet. */
  isPublic?: (address: string) => boolean;
  /** Certificates trusted instead of the system's (PEM). */
  ca?: string | Buffer;
  /** Milliseconds for name resolution, TCP and TLS together. Default 10,000. */
  connectTimeoutMs?: number;
  /** Which proxy leads to which host. Null or left out: every host is contacted directly. */
  proxy?: ProxyChoice | null;
  /** Null or left out: none is chosen. */
  own?: OwnBucketLinks | null;
  /** As `HttpClientOptions.onDate`. */
  onDate?: HttpClientOptions['onDate'];
}

/** The connections of the transfers, kept apart by network policy. */
export interface TransferAgents {
  client(policy: NetworkPolicy | 'own'): HttpClient;
  readonly own: OwnBucketLinks | null;
  /** Which literal addresses are public; the rule that the sockets follow too. */
  readonly isPublic: (address: string) => boolean;
  /** Ends all connections; transfers under way fail. */
  close(): Promise<void>;
}

/**
 * Creates the clients. Under `public-https` every connection is checked where it is made: the
 * addresses of a name are filtered in the socket's own look-up, so there is no second look-up that
 * could answer differently (DNS rebinding), and the address that was reached is checked once more.
 */
export function createTransferAgents(options: TransferAgentOptions = {}): TransferAgents {
  const { isPublic, own = null, ...connection } = options;
  const shared: HttpClientOptions = { wanted: 'file', ...connection };
  const clients: Record<NetworkPolicy | 'own', HttpClient> = {
    any: new HttpClient(shared),
    own: new HttpClient({ ...shared, proxy: own?.proxy }),
    'public-https': new HttpClient({ ...shared, rule: publicOnly(isPublic ?? isPublicAnswer) })
  };
  return {
    isPublic: isPublic ?? isPublicAddress,
    own,
    client: (policy) => clients[policy],
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
      return Promise.resolve();
    }
  };
}

function publicOnly(allows: (address: string) => boolean): AddressRule {
  const reasons = {
    literal: 'it is not a public address',
    name: 'its name leads to an address that is not public',
    'private-name': 'its name is one of private networks, not of the internet',
    reached: 'it led to an address that is not public'
  };
  return { allows, refusal: (host, how) => unsafe({ host }, reasons[how]) };
}

/** An address that passed all checks of its text. */
interface CheckedAddress {
  url: URL;
  /** Path and query byte for byte. */
  target: string;
  /** `Basic …` from `user:password@` in the address, under the policy `any` only. */
  authorization: string | undefined;
}

/**
 * Checks an address before anything is sent. Names are checked again when they are resolved, at
 * the socket: only there is it certain which machine is contacted.
 *
 * @param isPublic which literal addresses count as public; replaced in tests
 * @throws CodedError `UNSUPPORTED_URL`, `UNSAFE_URL`; neither is worth a retry
 */
export function checkAddress(
  address: string,
  policy: NetworkPolicy | 'own',
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
function unsafe(url: Pick<URL, 'host'>, reason: string): CodedError {
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

/** The kind of an address, judged by its text. */
type UrlKind =
  | { kind: 'http'; url: URL }
  | { kind: 'https'; url: URL }
  | { kind: 'unsupported'; advice: string }
  | { kind: 'refused'; reason: string };

const OF_SAMPLE =
  'The link is that of a sample, which works only in the message that "Send a sample" of a webhook node has sent since ' +
  'Node-RED started. Send the sample again.';

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
      return { kind: 'unsupported', advice: IN_BUCKET };
    case 'gs:':
      return { kind: 'unsupported', advice: IN_GOOGLE };
    case 'sample:':
      return { kind: 'unsupported', advice: OF_SAMPLE };
    case 'http:':
    case 'https:':
      if (AZURE_BLOB_HOST.test(url.hostname) && !url.searchParams.has('sig'))
        return { kind: 'unsupported', advice: IN_AZURE };
      return { kind: url.protocol === 'http:' ? 'http' : 'https', url };
    default:
      return { kind: 'refused', reason: `"${url.protocol}" is neither https nor http` };
  }
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
  // With backslashes, blanks and control characters, parsers disagree on where the host ends.
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

/** True when a link expired so long ago that a request is useless. */
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
