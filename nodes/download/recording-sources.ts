import type { HttpClientOptions } from '../../src/http/http-client';
import {
  type OpenProviders,
  type ProviderAccounts,
  openProviders,
  providers
} from '../../src/providers/registry';
import { BucketConnection } from '../../src/store/bucket/client/connection';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import { isHostOf, keyInBucket } from '../../src/store/bucket/bucket-address';
import { OwnBucket } from '../../src/store/bucket/own-bucket';
import { apiBreakers } from '../config/provider-accounts';

/** Where recordings come from, according to a download node's settings. */
export interface SourceSettings {
  accounts: ProviderAccounts;
  /** The bucket into which providers put recordings: Daily raw tracks, Telnyx those of custom storage. */
  ownBucket: BucketSettings | null;
  /** The bucket in which recordings are stored; null: elsewhere. */
  target: BucketSettings | null;
}

export interface RecordingSources extends OpenProviders {
  ownBucket: OwnBucket | null;
}

/**
 * @param onDate of the answers of the APIs
 * @throws CodedError `BAD_SETTING` when the API address of an account cannot be used
 */
export function recordingSources(
  { accounts, ownBucket: settings, target }: SourceSettings,
  onDate?: HttpClientOptions['onDate']
): RecordingSources {
  const ownBucket = settings && new OwnBucket(new BucketConnection(settings));
  const buckets = [settings, target].filter((bucket) => bucket !== null);
  const ownStorage = {
    hasAddress: (url: string) => buckets.some((bucket) => keyInBucket(bucket, url) !== null),
    hasHost: (host: string) => buckets.some((bucket) => isHostOf(bucket, host))
  };
  const open = openProviders(providers, accounts, { breakers: apiBreakers, onDate, ownBucket, ownStorage });
  return {
    ...open,
    ownBucket,
    close: async () => {
      await Promise.all([open.close(), ownBucket?.close()]);
    }
  };
}
