import { createHash } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import { bucketKey, shownKey } from './object-key';
import type { BucketPlace } from './bucket-sidecar';

/**
 * Keeps a few bytes in a bucket, below its prefix, unless they are there already.
 *
 * @param name of the object, with `/` between folders
 * @throws CodedError `STORE_FAILED`, also when other bytes have this key: they are left alone
 */
export async function keepObject(
  { objects, settings }: BucketPlace,
  name: string,
  bytes: Buffer
): Promise<void> {
  const key = bucketKey(settings.prefix, name);
  const sha256 = createHash('sha256').update(bytes).digest();
  const { ok } = await objects.put(key, { bytes, sha256 }, { contentType: 'application/octet-stream' });
  if (ok) return;
  const there = createHash('sha256');
  for await (const piece of (await objects.read(key, { most: bytes.length })).bytes) there.update(piece);
  if (there.digest().equals(sha256)) return;
  throw new CodedError(
    'STORE_FAILED',
    `${shownKey(key)} exists in the bucket with another content; it was left alone. Find out who wrote it.`
  );
}
