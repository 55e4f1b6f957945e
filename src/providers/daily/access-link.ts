import { idSegment } from '../http/api-path';
import { CodedError } from '../../errors/coded-error';
import { mediaLink } from '../../recording/media-link';
import { asFields, asText } from '../../values/fields';
import type { MediaLink } from '../../recording/recording-reference';
import type { DailyApi } from './daily-client';
import { parseUrl } from '../../text/parse-url';

const LONGEST_QUOTE = 120;
/** Longer texts are only looked at so far. */
const LONGEST_LOOK = 1000;

/**
 * A fresh link to the file of a recording (Daily "Get recording access link"). It works for an hour and
 * is used byte for byte, without the API key.
 *
 * @returns a link that does not say its format: the bytes do
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` when Daily gives a text instead of a link
 */
export async function accessLink(api: DailyApi, id: string, signal: AbortSignal): Promise<MediaLink> {
  const path = ['recordings', idSegment(id), 'access-link'];
  const answer = asFields(await api.request({ method: 'GET', path, signal }));
  const link = answer?.['download_link'];
  // Which of http and https may be contacted is for the network setting to say. A sentence can begin with an
  // address too; a link has no white space.
  if (typeof link === 'string' && /^https?:\/\/\S+$/i.test(link) && parseUrl(link) !== null)
    return mediaLink(link, null);
  throw new CodedError(
    'LINK_REFUSED',
    `Expected a link to the recording, but Daily gave ${quoted(asText(link))}. Look at the recording in the Daily ` +
      'dashboard; when it lies in a bucket of your own, Daily must be permitted to read it (allow_api_access).'
  );
}

/** A text from outside, short and without anything that could be a link. */
function quoted(text: string | null): string {
  if (text === null) return 'none';
  const plain = text
    .slice(0, LONGEST_LOOK)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .split(/\s+/)
    .map((word) => (word.includes('://') ? '(link)' : word))
    .join(' ')
    .trim();
  return `this text: "${plain.length > LONGEST_QUOTE ? `${plain.slice(0, LONGEST_QUOTE)}…` : plain}"`;
}
