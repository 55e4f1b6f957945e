import { CodedError } from '../errors/coded-error';
import type { AddressRule, Resolver } from '../http/http-agents';
import { HttpClient, type HttpClientOptions } from '../http/http-client';
import type { HttpResponse } from '../http/http-response';
import { isPublicAddress, isPublicAnswer } from './public-address';
import { checkAddress, unsafe } from './source-address';
import type { NetworkPolicy, TransferRequest } from './transfer-types';

/** The response at the end of the redirects. A caller that gets it must read or destroy `body`. */
export interface SourceResponse extends HttpResponse {
  /** Where it came from, after redirects. */
  url: URL;
}

/** The content type as sent; what the standard says of a response without one. */
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
    const { url, target, authorization } = checkAddress(address, request.network, agents.isPublic);
    firstOrigin ??= url.origin;
    // Without a way back: a host that was left once does not get the key again.
    if (url.origin !== firstOrigin) firstOrigin = '';
    const credentials = firstOrigin === '' ? undefined : (request.authorization ?? authorization);
    const response = await send(request, agents, url, target, {
      ...range,
      ...(credentials === undefined ? {} : { authorization: credentials })
    });
    if (!REDIRECT_STATUSES.has(response.status)) return response;
    response.body.destroy();
    address = redirectTarget(response);
  }
  throw new CodedError(
    'LINK_REFUSED',
    `The link redirects more than ${MAX_REDIRECTS} times; it leads nowhere.`
  );
}

async function send(
  request: TransferRequest,
  agents: TransferAgents,
  url: URL,
  target: string,
  headers: Record<string, string>
): Promise<SourceResponse> {
  const response = await agents.client(request.network).request({
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

export interface TransferAgentOptions {
  /** Default: the system's resolver. */
  resolve?: Resolver;
  /** Which addresses the policy `public-https` may contact. Default: those of the public internet. */
  isPublic?: (address: string) => boolean;
  /** Certificates trusted instead of the system's (PEM). */
  ca?: string | Buffer;
  /** Milliseconds for name, TCP and TLS together. Default 10,000. */
  connectTimeoutMs?: number;
}

/** The connections of the transfers, kept apart by network policy. */
export interface TransferAgents {
  client(policy: NetworkPolicy): HttpClient;
  /** Which literal addresses are public; the rule that the sockets follow too. */
  readonly isPublic: (address: string) => boolean;
  /** Ends all connections; transfers under way fail. */
  close(): Promise<void>;
}

/**
 * Creates the clients. Under `public-https` every connection is checked where it is made: the
 * addresses of a name are filtered in the socket's own look-up, so there is no second look-up that
 * could answer otherwise (DNS rebinding), and the address that was reached is checked once more.
 */
export function createTransferAgents(options: TransferAgentOptions = {}): TransferAgents {
  const { isPublic, ...connection } = options;
  const shared: HttpClientOptions = { wanted: 'file', ...connection };
  const clients: Record<NetworkPolicy, HttpClient> = {
    any: new HttpClient(shared),
    'public-https': new HttpClient({ ...shared, rule: publicOnly(isPublic ?? isPublicAnswer) })
  };
  return {
    isPublic: isPublic ?? isPublicAddress,
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
    reached: 'it led to an address that is not public'
  };
  return { allows, refusal: (host, how) => unsafe({ host }, reasons[how]) };
}
