import {
  type OpenProviders,
  type ProviderAccounts,
  openProviders,
  providers
} from '../../src/providers/registry';
import { BucketConnection } from '../../src/store/bucket/client/connection';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import { TrackBucket } from '../../src/store/bucket/track-bucket';
import { apiBreakers } from '../config/provider-accounts';

/** Where recordings come from, according to a download node's settings. */
export interface SourceSettings {
  accounts: ProviderAccounts;
  /** The bucket in which Daily puts raw tracks. */
  dailyBucket: BucketSettings | null;
}

/** @throws CodedError `BAD_SETTING` when the API address of an account cannot be used */
export function recordingSources({ accounts, dailyBucket }: SourceSettings): OpenProviders {
  const ownBucket = dailyBucket && new TrackBucket(new BucketConnection(dailyBucket));
  const open = openProviders(providers, accounts, { breakers: apiBreakers, ownBucket });
  return {
    ...open,
    close: async () => {
      await Promise.all([open.close(), ownBucket?.close()]);
    }
  };
}
