import { listedByTelnyx } from '../../recording/extract/from-listed';
import { transcriptsListedByTelnyx } from '../../recording/extract/from-listed-transcript';
import type { ApiResource } from '../../recording/recording-reference';
import { parseUrl } from '../../values/fields';
import { patientAsk } from '../http/patient-request';
import {
  type ListedBatch,
  type ListQuery,
  type ProviderAccount,
  type ProviderDefinition,
  type ProviderOptions,
  type RecordingProvider,
  withoutAccount
} from '../provider';
import { TelnyxApi } from './api-client';
import { failedDeliveries } from './webhooks/failed-deliveries';
import { completeDetails } from './complete-details';
import { IN_OWN_STORAGE, deleteAtSource, isInOwnStorage } from './delete-at-source';
import { fetchTranscription } from './fetch-transcription';
import { createLinkResolver } from './link-resolver';
import { telnyxFilters, telnyxTranscriptFilters } from './list-filters';
import type { TelnyxListing } from './list-page';
import { telnyxMeetings } from './meetings/telnyx-meetings';
import { RECORDINGS, listTelnyx } from './recording-list';
import { TRANSCRIPTIONS } from './transcription-list';

/** Recordings of calls and conferences, faxes, attachments, video rooms, meetings. */
export const telnyxProvider: ProviderDefinition = {
  name: 'telnyx',
  label: 'Telnyx',
  usualKind: 'audio',
  hasFormatsInLinks: true,
  filters: telnyxFilters,
  transcriptFilters: telnyxTranscriptFilters,
  fromListed: listedByTelnyx,
  transcripts: transcriptsListedByTelnyx,
  resourceOf,
  open: openTelnyx,
  openHealth: (account, { breakers }) => {
    const { apiUrl, proxy, pace } = account;
    const apiKey = (): string | null => account.apiKey();
    const api = new TelnyxApi({
      apiUrl,
      apiKey,
      proxy,
      ...(pace && { pace }),
      ...(breakers && { breakers })
    });
    return {
      check: (query, signal) => failedDeliveries((request) => api.request({ ...request, signal }), query),
      close: () => api.close()
    };
  }
};

function openTelnyx(
  account: ProviderAccount | null,
  { breakers, onDate, ownStorage }: ProviderOptions
): RecordingProvider {
  const apiKey = account?.apiKey() ?? null;
  const api =
    account &&
    new TelnyxApi({
      apiUrl: account.apiUrl,
      apiKey: () => apiKey,
      proxy: account.proxy,
      ...(account.pace && { pace: account.pace }),
      onDate,
      ...(breakers && { breakers })
    });
  const list = (
    listing: TelnyxListing,
    { filter, from, to, begun, onWait }: ListQuery,
    signal: AbortSignal
  ): AsyncIterable<ListedBatch> => {
    if (api === null) throw withoutAccount(telnyxProvider);
    const ask = patientAsk(api, { onWait, random: Math.random, signal });
    return listTelnyx({ ask, listing, filter, from, to: to ?? begun, signal });
  };
  const meetings = telnyxMeetings(api);
  const resolveLinks = createLinkResolver({ api });
  return {
    authorize: (url) => (account === null ? undefined : apiAuthorization(url, account.apiUrl, apiKey)),
    resolveLinks: (reference, why, signal) =>
      (reference.meeting === undefined ? resolveLinks : meetings.resolveLinks)(reference, why, signal),
    expand: meetings.expand,
    completeDetails: (reference, signal) => {
      // Without a key nothing is asked.
      if (api === null || apiKey === null) return Promise.resolve(reference.details);
      if (reference.meeting !== undefined) return meetings.completeDetails(reference, signal);
      return completeDetails(api.optional, reference, signal);
    },
    fetchTranscript: (reference, signal) => fetchTranscription(api, reference, signal),
    deleteRecording: (reference, signal, stored = []) => {
      if (reference.meeting !== undefined) return meetings.deleteRecording(reference, signal, stored);
      if (isInOwnStorage(reference, stored, ownStorage)) return Promise.resolve(IN_OWN_STORAGE);
      return deleteAtSource(api, reference, signal);
    },
    listRecordings: (query, signal) => list(RECORDINGS, query, signal),
    listTranscripts: (query, signal) => list(TRANSCRIPTIONS, query, signal),
    close: async () => {
      await api?.close();
    }
  };
}

function resourceOf(eventType: string | null): ApiResource {
  const type = eventType ?? '';
  if (type.startsWith('fax.')) return 'fax';
  if (type.startsWith('video.room.composition')) return 'room-composition';
  if (type.startsWith('video.room.')) return 'room-recording';
  if (type.startsWith('message.')) return 'message';
  if (type === 'meeting.recording.available') return 'meeting-recording';
  if (type === 'meeting.transcript.completed') return 'meeting-transcript';
  if (type === 'meeting.artifact.completed') return 'meeting-artifact';
  return type.startsWith('texml.') ? 'texml-recording' : 'recording';
}

/** A signed link needs no key: the storage would refuse one, and it would leak. */
const SIGNED = /[?&](X-Amz-Signature|Signature|X-Goog-Signature|sig)=/i;

/**
 * The `Authorization` header for a link, if it needs one: TeXML `RecordingUrl`s can point at the
 * provider's own API. The key goes to exactly the host of `apiUrl`, by the scheme of `apiUrl`, and
 * nowhere else.
 *
 * @param apiUrl as set in the account
 * @param apiKey null when the account has none
 */
export function apiAuthorization(url: string, apiUrl: string, apiKey: string | null): string | undefined {
  if (apiKey === null) return undefined;
  const link = parseUrl(url);
  const api = parseUrl(apiUrl);
  if (link === null || api === null) return undefined;
  const same = link.protocol === api.protocol && link.host === api.host;
  return same && !SIGNED.test(link.search) ? `Bearer ${apiKey}` : undefined;
}
