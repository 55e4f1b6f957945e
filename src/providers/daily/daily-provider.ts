import { restoredByDaily, transcriptsListedByDaily } from '../../recording/extract/from-daily-text';
import { listedByDaily } from '../../recording/extract/from-listed';
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
import { completeDailyDetails } from './complete-details';
import { DailyApi } from './daily-client';
import { failedWebhooks } from './webhooks/failed-webhooks';
import { deleteAtDaily } from './delete-at-source';
import { findBatchOutputs } from './batch-outputs';
import { createDailyLinkResolver } from './link-resolver';
import { dailyFilters, dailyTranscriptFilters } from './list-filters';
import { type DailyListing, RECORDINGS, TRANSCRIPTS, listDaily } from './recording-list';
import { findSideFiles, sideFilesUntil } from './side-files';

/** Recordings of rooms: at Daily itself, and raw tracks in the customer's own bucket. */
export const dailyProvider: ProviderDefinition = {
  name: 'daily',
  label: 'Daily',
  usualKind: 'video',
  hasFormatsInLinks: false,
  filters: dailyFilters,
  transcriptFilters: dailyTranscriptFilters,
  fromListed: listedByDaily,
  transcripts: transcriptsListedByDaily,
  restored: restoredByDaily,
  open: openDaily,
  openHealth: (account, { breakers }) => {
    const { apiUrl, proxy, pace } = account;
    const apiKey = (): string | null => account.apiKey();
    const api = new DailyApi({
      ...{ apiUrl, apiKey, proxy },
      ...(pace && { pace }),
      ...(breakers && { breakers })
    });
    return {
      check: (query, signal) => failedWebhooks((request) => api.request({ ...request, signal }), query),
      close: () => api.close()
    };
  }
};

function openDaily(
  account: ProviderAccount | null,
  { breakers, onDate, ownBucket = null }: ProviderOptions
): RecordingProvider {
  const api =
    account &&
    new DailyApi({
      apiUrl: account.apiUrl,
      apiKey: () => account.apiKey(),
      proxy: account.proxy,
      ...(account.pace && { pace: account.pace }),
      onDate,
      ...(breakers && { breakers })
    });
  const sources = { api, bucket: ownBucket };
  const list = (
    listing: DailyListing,
    { filter, from, to, onWait }: ListQuery,
    signal: AbortSignal
  ): AsyncIterable<ListedBatch> => {
    if (api === null) throw withoutAccount(dailyProvider);
    const ask = patientAsk(api, { onWait, random: Math.random, signal });
    return listDaily({ ask, listing, filter, from, to });
  };
  return {
    resolveLinks: createDailyLinkResolver(sources),
    completeDetails: (reference, signal) => completeDailyDetails(api?.optional ?? null, reference, signal),
    // Its events contain the text, or there is none.
    fetchTranscript: ({ details }) => Promise.resolve(details.transcription),
    deleteRecording: (reference, signal, stored) => deleteAtDaily(api, reference, signal, stored),
    expand: (reference, _isLast, signal) => findBatchOutputs(sources, reference, signal),
    sideFilesUntil: (reference, now) => (api?.hasKey === true ? sideFilesUntil(reference, now) : null),
    findSideFiles: (reference, signal) => findSideFiles(sources, reference, signal),
    listRecordings: (query, signal) => list(RECORDINGS, query, signal),
    listTranscripts: (query, signal) => list(TRANSCRIPTS, query, signal),
    close: async () => {
      await api?.close();
    }
  };
}
