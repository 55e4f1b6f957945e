import type { ArchiveDeps } from '../../src/archive/archive-context';
import { apiAuthorization } from '../../src/providers/telnyx/api-authorization';
import type { SourceDeletionDeps } from '../../src/archive/download/source-deletion';
import type { TranscriptDeps } from '../../src/archive/transcripts/transcript-filing';
import { completeDailyDetails } from '../../src/providers/daily/complete-details';
import { DailyApi } from '../../src/providers/daily/daily-client';
import { deleteAtDaily } from '../../src/providers/daily/delete-at-source';
import { createDailyLinkResolver } from '../../src/providers/daily/link-resolver';
import { BucketConnection } from '../../src/store/bucket/client/connection';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import { TrackBucket } from '../../src/store/bucket/track-bucket';
import { TelnyxApi } from '../../src/providers/telnyx/api-client';
import { completeDetails } from '../../src/providers/telnyx/complete-details';
import { deleteAtSource } from '../../src/providers/telnyx/delete-at-source';
import { fetchTranscription } from '../../src/providers/telnyx/fetch-transcription';
import { createLinkResolver } from '../../src/providers/telnyx/link-resolver';
import { apiBreakers } from '../config/api-breakers';
import type { DailyAccount } from '../config/daily-account-access';
import type { TelnyxAccount } from '../config/telnyx-account-access';

/** Where recordings come from, as far as a download node knows it. */
export interface SourceSettings {
  account: Pick<TelnyxAccount, 'apiUrl' | 'apiKey' | 'pace'> | null;
  dailyAccount: Pick<DailyAccount, 'apiUrl' | 'apiKey'> | null;
  /** The bucket in which Daily puts raw tracks. */
  dailyBucket: BucketSettings | null;
}

/** What archiving asks the providers for; each recording's own provider is asked. */
export interface RecordingSources
  extends
    Required<Pick<ArchiveDeps, 'authorize' | 'resolveLinks' | 'completeDetails'>>,
    Required<Pick<TranscriptDeps, 'fetchText'>>,
    Pick<SourceDeletionDeps, 'deleteAtSource'> {
  close(): Promise<void>;
}

/** @throws CodedError `BAD_SETTING` when the API address of an account cannot be used */
export function recordingSources({ account, dailyAccount, dailyBucket }: SourceSettings): RecordingSources {
  const telnyx =
    account &&
    new TelnyxApi({
      apiUrl: account.apiUrl,
      apiKey: () => account.apiKey(),
      pace: account.pace,
      breakers: apiBreakers
    });
  const daily =
    dailyAccount &&
    new DailyApi({
      apiUrl: dailyAccount.apiUrl,
      apiKey: () => dailyAccount.apiKey(),
      breakers: apiBreakers
    });
  const bucket = dailyBucket && new TrackBucket(new BucketConnection(dailyBucket));
  const telnyxLinks = createLinkResolver({ api: telnyx });
  const dailyLinks = createDailyLinkResolver({ api: daily, bucket });
  const isDaily = ({ details }: { details: { provider: string } }): boolean => details.provider === 'daily';
  return {
    authorize: (url) =>
      account === null ? undefined : apiAuthorization(url, account.apiUrl, account.apiKey()),
    resolveLinks: (reference, why, signal) =>
      isDaily(reference) ? dailyLinks(reference, why, signal) : telnyxLinks(reference, why, signal),
    completeDetails: (reference, signal) =>
      isDaily(reference)
        ? completeDailyDetails(daily?.optional ?? null, reference, signal)
        : completeDetails(telnyx?.optional ?? null, reference, signal),
    fetchText: (reference, signal) =>
      isDaily(reference)
        ? Promise.resolve(reference.details.transcription)
        : fetchTranscription(telnyx, reference, signal),
    deleteAtSource: (reference, signal) =>
      isDaily(reference)
        ? deleteAtDaily(daily, reference, signal)
        : deleteAtSource(telnyx, reference, signal),
    close: async () => {
      await Promise.all([telnyx?.close(), daily?.close(), bucket?.close()]);
    }
  };
}
