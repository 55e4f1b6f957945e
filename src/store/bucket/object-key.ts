import { CodedError } from '../../errors/coded-error';
import { nameSegments } from '../folder/archive-path';
import type { BucketSettings } from './client/settings';

/** What S3 allows (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const LONGEST_KEY_BYTES = 1024;
/** The sidecar's key is longer by `.json`, and a variant of the name by a hash. */
const SPARE_BYTES = 32;

/**
 * The key of a name below the bucket's prefix.
 *
 * @throws CodedError `STORE_FAILED` when the name is not safe or too long for a key
 */
export function bucketKey(prefix: string, name: string): string {
  nameSegments(name);
  const key = prefix + name;
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES - SPARE_BYTES)
    throw new CodedError(
      'STORE_FAILED',
      `The key is longer than the ${LONGEST_KEY_BYTES} bytes that a bucket takes; shorten the filename template or the prefix.`
    );
  return key;
}

/** A key for an error text. */
export function shownKey(key: string): string {
  return key.slice(0, LONGEST_KEY_BYTES).replace(/[^\x20-\x7e]/g, '?');
}

/** The location of an object, as in `msg.payload`. */
export function bucketLocation(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

/**
 * The key of a location in this bucket.
 *
 * @throws CodedError `STORE_FAILED` when it is in another bucket
 */
export function keyOfLocation({ bucket }: Pick<BucketSettings, 'bucket'>, location: string): string {
  const start = bucketLocation(bucket, '');
  if (!location.startsWith(start) || location.length === start.length)
    throw new CodedError('STORE_FAILED', `Expected a location in ${start}, but got another one.`);
  return location.slice(start.length);
}
