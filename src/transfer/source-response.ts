import { CodedError } from '../errors/coded-error';
import type { HttpResponse } from '../http/http-response';
import { checkAddress } from './address/address-guard';
import type { TransferAgents } from './transfer-agents';
import type { TransferRequest } from './transfer-types';

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
