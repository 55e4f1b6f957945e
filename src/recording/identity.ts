import { createHash } from 'node:crypto';
import type { Provider } from '../events/provider';

/** Query parameters that sign a link or say how to serve it; they differ each time a link is made. */
const SIGNING_PARAMETER =
  /^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|expires|signature|key-pair-id|policy|response-.*|se|sig|sv|sp|sr|st|spr|ske|skt|sks|skv|skoid|sktid)$/i;

/**
 * Identity of a recording that has an id.
 *
 * @param part distinguishes the files of one recording (track key), or null
 */
export function identityOfId(provider: Provider, recordingId: string, part: string | null = null): string {
  return part === null ? `${provider}:${recordingId}` : `${provider}:${recordingId}#${part}`;
}

/**
 * Identity of a recording that has only an address: the address without its query. What remains of
 * the query after removing signatures still counts (`?id=1` and `?id=2` are two recordings), but only
 * as a hash: an identity may be stored and logged, a query may not.
 */
export function identityOfUrl(provider: Provider, url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return `${provider}:${hash(url)}`;
  }
  const rest = [...parsed.searchParams].filter(([name]) => !SIGNING_PARAMETER.test(name));
  const address = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return rest.length === 0
    ? `${provider}:${address}`
    : `${provider}:${address}#${hash(JSON.stringify(rest.sort(byText)))}`;
}

function byText(left: [string, string], right: [string, string]): number {
  return left.join('=') < right.join('=') ? -1 : 1;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
