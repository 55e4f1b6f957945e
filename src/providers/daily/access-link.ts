import { CodedError } from '../../errors/coded-error';
import { type MediaLink, mediaLink } from '../../recording/recording-reference';
import { asText, isChangedText, parseUrl } from '../../values/fields';
import type { LinkReason, OwnBucket } from '../provider';
import type { DailyApi } from './daily-client';

export interface DailyLinkResolverOptions {
  /** Null when there is no account. */
  api: DailyApi | null;
  /** Where Daily puts raw tracks. Null when none is chosen. */
  bucket: OwnBucket | null;
}

/**
 * A link as the API gives it, used byte for byte. A text that explains why there is none can be in its place.
 *
 * @returns null for anything else. The network setting decides whether http may be used
 */
export function asLink(value: unknown): string | null {
  // A sentence can begin with an address too, but a link has no white space.
  return typeof value === 'string' && /^https?:\/\/\S+$/i.test(value) && parseUrl(value) !== null
    ? value
    : null;
}

/** A link to a text: asked for again on each attempt. */
export function fleetingLink(url: string): MediaLink {
  return { ...mediaLink(url, null), isFleeting: true };
}

/**
 * There is something else where a link should be.
 *
 * @param what the file: `the recording`
 */
export function withoutLink(what: string, given: unknown): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `Expected a link to ${what}, but Daily gave ${quoted(asText(given))}. Look at it in the Daily ` +
      'dashboard; if it is in your own bucket, Daily must be permitted to read it (allow_api_access).'
  );
}

const LONGEST_QUOTE = 120;
/** Longer texts are read only this far. */
const LONGEST_LOOK = 1000;

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

/**
 * @throws CodedError as `OwnBucket.link`; `UNSAFE_URL` for a key that an address would change: clients drop `.` and `..`
 *   from an address, and half a character has no bytes
 */
export async function linkInBucket(bucket: OwnBucket, key: string): Promise<MediaLink> {
  if (/(^|\/)\.\.?(\/|$)/.test(key) || isChangedText(key))
    throw new CodedError(
      'UNSAFE_URL',
      'The event names an object of your bucket by a key with "." or ".." for a folder, or with half a character. ' +
        'No address leads to it; fetch it with another program.'
    );
  return mediaLink(await bucket.link(key), null);
}

/** Whether the API refuses a link for good, as it does for files in a bucket that it may not read. */
export function isFinalRefusal(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'LINK_REFUSED' && !error.retryable;
}

export const WITHOUT_KEY =
  'Daily gives links only to an API key: choose a Daily account with an API key in the download node, and send ' +
  'the message again.';

/** Something that the settings lack, so that there is no link. */
export function unavailable(why: LinkReason, advice: string): CodedError {
  return why === 'dead'
    ? new CodedError('LINK_EXPIRED', `The link no longer works. ${advice}`)
    : new CodedError('NO_RECORDING', `The message names a recording but has no link to it. ${advice}`);
}
