import { CodedError } from '../../errors/coded-error';
import { type MediaLink, type RecordingReference, mediaLink } from '../../recording/recording-reference';
import { asFields } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { LinkReason } from '../provider';
import {
  type DailyLinkResolverOptions,
  asLink,
  isFinalRefusal,
  linkInBucket,
  unavailable,
  withoutLink,
  WITHOUT_KEY
} from './access-link';
import type { DailyApi } from './daily-client';
import { dailyRecording } from './recording-object';
import { resolveDailyText } from './text-links';

export type DailyLinkResolver = (
  reference: Pick<RecordingReference, 'kind' | 'details' | 'storage_key' | 'output'>,
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
  return async (reference, why, signal) => {
    const { kind, details, storage_key } = reference;
    const { recording_id: id } = details;
    if (details.provider !== 'daily' || (why === 'dead' && id === null && storage_key === null)) return [];
    if (kind === 'text') return [await resolveDailyText({ api, bucket }, reference, why, signal)];
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

const WITHOUT_BUCKET =
  'It is a raw track, which Daily puts into a bucket of your own and nowhere else. Choose that bucket as "Own bucket" ' +
  'in the download node, and send the message again.';

const WITHOUT_TRACK_KEY =
  'The event announces a raw track without its key in your bucket ("s3Key"). Look for it in the bucket, beside the other ' +
  'tracks of the recording.';

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
  const link = asLink(answer?.['download_link']);
  if (link === null) throw withoutLink('the recording', answer?.['download_link']);
  return mediaLink(link, null);
}
