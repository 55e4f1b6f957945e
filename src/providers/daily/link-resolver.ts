import { CodedError } from '../../errors/coded-error';
import { type MediaLink, type RecordingReference, mediaLink } from '../../recording/recording-reference';
import { asFields, asText, isChangedText, parseUrl } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { LinkReason, OwnBucket } from '../provider';
import type { DailyApi } from './daily-client';
import { dailyRecording } from './recording-object';

export interface DailyLinkResolverOptions {
  /** Null when there is no account. */
  api: DailyApi | null;
  /** Where Daily puts raw tracks. Null when none is chosen. */
  bucket: OwnBucket | null;
}

export type DailyLinkResolver = (
  reference: Pick<RecordingReference, 'kind' | 'details' | 'storage_key'>,
  why: LinkReason,
  signal: AbortSignal
) => Promise<MediaLink[]>;

/**
 * Fresh links to Daily's recordings: from the API, and for raw tracks from the customer's own bucket, the
 * only place where they are.
 *
 * @returns a function that returns at least one link; none only for what is not Daily's, or when a dead
 *   address names nothing that could be asked for. It throws CodedError as `accessLink`; `NO_RECORDING`
 *   (`LINK_EXPIRED` in place of a dead link) when API key or bucket is missing
 */
export function createDailyLinkResolver({ api, bucket }: DailyLinkResolverOptions): DailyLinkResolver {
  return async ({ kind, details, storage_key }, why, signal) => {
    const { recording_id: id } = details;
    if (details.provider !== 'daily' || (why === 'dead' && id === null && storage_key === null)) return [];
    if (kind === 'track') {
      if (storage_key === null) throw unavailable(why, WITHOUT_TRACK_KEY);
      if (bucket === null) throw unavailable(why, WITHOUT_BUCKET);
      return [await linkInBucket(bucket, storage_key)];
    }
    if (id === null) throw unavailable(why, 'The message does not name the recording. Set msg.recording_id.');
    if (api?.hasKey !== true) throw unavailable(why, WITHOUT_KEY);
    // A recording that no event announced may be unfinished.
    if (details.event_type === null) await expectFile(api, id, signal);
    try {
      return [await accessLink(api, id, signal)];
    } catch (error) {
      // Daily may be unable to read the customer's own bucket; we can.
      if (storage_key === null || bucket === null || !isFinalRefusal(error)) throw error;
      return [await linkInBucket(bucket, storage_key)];
    }
  };
}

/**
 * @throws CodedError as `OwnBucket.link`; `UNSAFE_URL` for a key that an address would change: clients drop `.` and `..`
 *   from an address, and half a character has no bytes
 */
async function linkInBucket(bucket: OwnBucket, key: string): Promise<MediaLink> {
  if (/(^|\/)\.\.?(\/|$)/.test(key) || isChangedText(key))
    throw new CodedError(
      'UNSAFE_URL',
      'The event names an object of your bucket by a key with "." or ".." for a folder, or with half a character. ' +
        'No address leads to it; fetch it with another program.'
    );
  return mediaLink(await bucket.link(key), null);
}

const WITHOUT_BUCKET =
  'It is a raw track, which Daily puts into a bucket of your own and nowhere else. Choose that bucket as "Raw tracks" ' +
  'in the download node, and send the message again.';

const WITHOUT_TRACK_KEY =
  'The event announces a raw track without its key in your bucket ("s3Key"). Look for it in the bucket, beside the other ' +
  'tracks of the recording.';

const WITHOUT_KEY =
  'Daily gives links only to an API key: choose a Daily account with an API key in the download node, and send ' +
  'the message again.';

async function expectFile(api: DailyApi, id: string, signal: AbortSignal): Promise<void> {
  const { status, tracks } = await dailyRecording(api, id, signal);
  if (status === 'in-progress')
    throw new CodedError('LINK_REFUSED', 'Daily is still recording; the next attempt waits.', {
      retryable: true
    });
  if (status === 'canceled')
    throw new CodedError('NO_RECORDING', 'Daily says that the recording was canceled; it has no file.');
  if (tracks > 0)
    throw new CodedError(
      'NO_RECORDING',
      `The recording has ${tracks} raw tracks in a bucket of your own, and no file at Daily. Send its event ` +
        '(recording.ready-to-download), which names the tracks.'
    );
}

function isFinalRefusal(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'LINK_REFUSED' && !error.retryable;
}

function unavailable(why: LinkReason, advice: string): CodedError {
  return why === 'dead'
    ? new CodedError('LINK_EXPIRED', `The link no longer works. ${advice}`)
    : new CodedError('NO_RECORDING', `The message names a recording but has no link to it. ${advice}`);
}

const LONGEST_QUOTE = 120;
/** Longer texts are read only this far. */
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
  // The network setting decides whether http may be used. A sentence can begin with an address too, but a link
  // has no white space.
  if (typeof link === 'string' && /^https?:\/\/\S+$/i.test(link) && parseUrl(link) !== null)
    return mediaLink(link, null);
  throw new CodedError(
    'LINK_REFUSED',
    `Expected a link to the recording, but Daily gave ${quoted(asText(link))}. Look at the recording in the Daily ` +
      'dashboard; if it is in your own bucket, Daily must be permitted to read it (allow_api_access).'
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
