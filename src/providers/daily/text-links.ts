import { CodedError } from '../../errors/coded-error';
import type { MediaLink, RecordingReference } from '../../recording/recording-reference';
import { type Fields, asFields, asText } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { LinkReason } from '../provider';
import {
  type DailyLinkResolverOptions,
  WITHOUT_KEY,
  asLink,
  fleetingLink,
  isFinalRefusal,
  linkInBucket,
  unavailable,
  withoutLink
} from './access-link';
import { batchLinks } from './batch-outputs';
import type { DailyApi } from './daily-client';
import { sideLinks } from './side-files';

type TextReference = Pick<RecordingReference, 'details' | 'storage_key' | 'output'>;

/**
 * A fresh link to a transcript, to a file of a batch job, or to a side file of a recording: from the API, or from
 * the customer's own bucket when Daily may not read that.
 *
 * @throws CodedError as `accessLink`; a retryable `LINK_REFUSED` while it is not finished
 */
export async function resolveDailyText(
  { api, bucket }: DailyLinkResolverOptions,
  reference: TextReference,
  why: LinkReason,
  signal: AbortSignal
): Promise<MediaLink> {
  const { storage_key } = reference;
  const ownKey = bucket === null ? null : storage_key;
  if (api?.hasKey !== true) {
    if (bucket === null || ownKey === null) throw unavailable(why, WITHOUT_KEY);
    return { ...(await linkInBucket(bucket, ownKey)), isFleeting: true };
  }
  try {
    return fleetingLink(await apiLink(api, reference, signal));
  } catch (error) {
    if (bucket === null || ownKey === null || !isFinalRefusal(error)) throw error;
    return { ...(await linkInBucket(bucket, ownKey)), isFleeting: true };
  }
}

async function apiLink(
  api: DailyApi,
  { details, output }: TextReference,
  signal: AbortSignal
): Promise<string> {
  const { what, of = '', name = '', format = null } = output ?? {};
  if (what === 'transcript')
    return await transcriptLink(api, { transcript: of, event_type: details.event_type }, signal);
  const links = what === 'side-file' ? await sideLinks(api, of, signal) : await batchLinks(api, of, signal);
  const found =
    links.find((one) => one.name === name && one.format === format) ?? links.find((one) => one.name === name);
  const link = asLink(found?.link);
  if (link === null) throw withoutLink(`the file "${name}"`, found?.link);
  return link;
}

async function transcriptLink(
  api: DailyApi,
  { transcript, event_type }: { transcript: string; event_type: string | null },
  signal: AbortSignal
): Promise<string> {
  const id = idSegment(transcript);
  // A transcript that no event announced may be unfinished.
  if (event_type === null)
    expectText(asFields(await api.request({ method: 'GET', path: ['transcript', id], signal })));
  const path = ['transcript', id, 'access-link'];
  const answer = asFields(await api.request({ method: 'GET', path, signal }));
  const given = answer?.['link'] ?? answer?.['download_link'];
  const link = asLink(given);
  if (link === null) throw withoutLink('the transcript', given);
  return link;
}

function expectText(transcript: Fields | null): void {
  const status = asText(transcript?.['status'])?.toLowerCase() ?? '';
  if (status === 't_error' || status === 't_deleted')
    throw new CodedError('NO_RECORDING', `Daily says that the transcript has no file (${status}).`);
  if (status === 't_in_progress' || transcript?.['isVttAvailable'] === false)
    throw new CodedError('LINK_REFUSED', 'Daily has not finished the transcript; the next attempt waits.', {
      retryable: true,
      trouble: 'not-there'
    });
}
