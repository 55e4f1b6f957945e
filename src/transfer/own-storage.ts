import type { ProxyChoice } from '../http/proxy/proxy-choice';

/** The customer's own bucket. Its owner has set where it is, so its address may be private, and plain http. */
export interface OwnBucketLinks {
  /** Which proxy leads to it; null: none. */
  readonly proxy: ProxyChoice | null;
  /** Whether an address leads to an object of the bucket. */
  holds(address: string): boolean;
  /**
   * @returns a signed link for an address that names an object of the bucket, such as `s3://bucket/key`; null for any other
   * @throws CodedError `STORE_FAILED`, `UNSAFE_URL`
   */
  signed(address: string): Promise<string | null>;
}

// What to do with a recording in a storage of the customer that is not the chosen bucket.

const ADVICE =
  'of your own (custom storage of the Telnyx connection). Choose a bucket node for exactly that bucket as "Own bucket" in the ' +
  'recording download node, and send the message again.';

export const IN_BUCKET = `The recording is in a bucket ${ADVICE}`;

export const IN_GOOGLE =
  `The recording is in a Google Cloud Storage bucket ${ADVICE} Its endpoint is https://storage.googleapis.com, its key an ` +
  'HMAC key.';

export const IN_AZURE =
  'The recording is in an Azure blob container of your own (custom storage of the Telnyx connection), which cannot be read ' +
  'from here. It is already in your hands: fetch it with a storage client, or remove the custom storage of the connection ' +
  'so that Telnyx keeps new recordings.';
