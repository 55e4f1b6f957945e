import { createHash } from 'node:crypto';
import { losslessText } from '../text/lossless';
import { parseUrl } from '../text/parse-url';

/** Query parameters that sign a link or say how to serve it; they differ each time a link is made. */
const SIGNING_PARAMETER =
  /^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|expires|signature|key-pair-id|policy|response-.*|se|sig|sv|sp|sr|st|spr|ske|skt|sks|skv|skoid|sktid)$/i;

/**
 * Identity of a recording that has an id.
 *
 * @param part distinguishes the files of one recording (track key), or null
 */
export function identityOfId(provider: string, recordingId: string, part: string | null = null): string {
  const recording = `${provider}:${withoutPartMark(recordingId)}`;
  return part === null ? recording : `${recording}#${part}`;
}

/** The part that an identity was made with; null when it is that of a whole recording, or of another one. */
export function partOfIdentity(identity: string, provider: string, recordingId: string): string | null {
  const whole = `${identityOfId(provider, recordingId)}#`;
  return identity.startsWith(whole) ? identity.slice(whole.length) : null;
}

/**
 * A `#` begins the part. Ids that have one themselves are spelled in another way, or the recording `a#b` would be
 * taken for the track `b` of the recording `a`. All others stay as they are.
 */
function withoutPartMark(recordingId: string): string {
  if (!recordingId.includes('#')) return recordingId;
  return `#${recordingId.replaceAll('%', '%25').replaceAll('#', '%23')}`;
}

/**
 * Identity of a recording that has only an address: the address without its query. What remains of
 * the query after removing signatures still counts (`?id=1` and `?id=2` are two recordings), but only
 * as a hash: an identity may be stored and logged, a query may not.
 */
export function identityOfUrl(provider: string, url: string): string {
  const parsed = parseUrl(url);
  if (parsed === null) return `${provider}:${hash(url)}`;
  const rest = [...parsed.searchParams].filter(([name]) => !SIGNING_PARAMETER.test(name));
  const address = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return rest.length === 0
    ? `${provider}:${address}`
    : `${provider}:${address}#${hash(JSON.stringify(sorted(rest)))}`;
}

function sorted(parameters: [string, string][]): [string, string][] {
  return parameters
    .map((parameter) => ({ parameter, text: parameter.join('=') }))
    .sort((left, right) => (left.text < right.text ? -1 : 1))
    .map(({ parameter }) => parameter);
}

function hash(text: string): string {
  return createHash('sha256').update(losslessText(text)).digest('hex').slice(0, 24);
}
