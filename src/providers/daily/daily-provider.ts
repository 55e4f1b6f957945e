import { listedByDaily } from '../../recording/extract/from-listed';
import { patientAsk } from '../http/patient-request';
import {
  type ProviderAccount,
  type ProviderDefinition,
  type ProviderOptions,
  type RecordingProvider,
  withoutAccount
} from '../provider';
import { completeDailyDetails } from './complete-details';
import { DailyApi } from './daily-client';
import { deleteAtDaily } from './delete-at-source';
import { createDailyLinkResolver } from './link-resolver';
import { dailyFilters, dailyTranscriptFilters } from './list-filters';
import { listDaily } from './recording-list';

/** Recordings of rooms: at Daily itself, and raw tracks in the customer's own bucket. */
export const dailyProvider: ProviderDefinition = {
  name: 'daily',
  label: 'Daily',
  usualKind: 'video',
  hasFormatsInLinks: false,
  filters: dailyFilters,
  transcriptFilters: dailyTranscriptFilters,
  fromListed: listedByDaily,
  open: openDaily
};

function openDaily(
  account: ProviderAccount | null,
  { breakers, ownBucket = null }: ProviderOptions
): RecordingProvider {
  const api =
    account &&
    new DailyApi({
      apiUrl: account.apiUrl,
      apiKey: () => account.apiKey(),
      proxy: account.proxy,
      ...(breakers && { breakers })
    });
  return {
    resolveLinks: createDailyLinkResolver({ api, bucket: ownBucket }),
    completeDetails: (reference, signal) => completeDailyDetails(api?.optional ?? null, reference, signal),
    // Its events contain the text, or there is none.
    fetchTranscript: ({ details }) => Promise.resolve(details.transcription),
    deleteRecording: (reference, signal) => deleteAtDaily(api, reference, signal),
    listRecordings: ({ filter, from, to, onWait }, signal) => {
      if (api === null) throw withoutAccount(dailyProvider);
      return listDaily({ ask: patientAsk(api, { onWait, random: Math.random, signal }), filter, from, to });
    },
    close: async () => {
      await api?.close();
    }
  };
}
