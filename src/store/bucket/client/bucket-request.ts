import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerSideEncryption } from '@aws-sdk/client-s3';
import type { BucketConnection } from './connection';

/** Bytes to send, and their hash. */
export interface SentBytes {
  bytes: Uint8Array;
  sha256: Buffer;
}

/** How the server should encrypt. */
export function encryption({ settings }: Pick<BucketConnection, 'settings'>): {
  ServerSideEncryption?: ServerSideEncryption;
  SSEKMSKeyId?: string;
} {
  const { sse, kmsKeyId } = settings;
  if (sse === '') return {};
  return { ServerSideEncryption: sse, ...(kmsKeyId === null ? {} : { SSEKMSKeyId: kmsKeyId }) };
}

/**
 * The condition that keeps a write from overwriting anything else.
 *
 * @param ifMatch ETag of what is replaced; null: no condition; left out: the key must be free
 */
export function condition(
  { sendsConditions }: Pick<BucketConnection, 'sendsConditions'>,
  ifMatch?: string | null
): { IfMatch?: string; IfNoneMatch?: string } {
  if (!sendsConditions || ifMatch === null) return {};
  return ifMatch === undefined ? { IfNoneMatch: '*' } : { IfMatch: ifMatch };
}

export function checksum(
  { sendsChecksums }: Pick<BucketConnection, 'sendsChecksums'>,
  { sha256 }: Pick<SentBytes, 'sha256'>
): { ChecksumSHA256?: string } {
  return sendsChecksums ? { ChecksumSHA256: sha256.toString('base64') } : {};
}

/**
 * The hash by which the store checks the bytes that it receives: Content-MD5 where it does not support
 * SHA-256, because buckets with object lock refuse requests with neither.
 */
export async function integrity(
  connection: Pick<BucketConnection, 'sendsChecksums'>,
  body: SentBytes
): Promise<{ ChecksumSHA256?: string; ContentMD5?: string }> {
  if (connection.sendsChecksums) return checksum(connection, body);
  const md5 = await md5Of(body.bytes);
  return md5 === null ? {} : { ContentMD5: md5 };
}

/** Bytes hashed at a time, in one or two milliseconds. */
const PIECE_BYTES = 1024 * 1024;

/** @returns base64; null where this machine's rules forbid MD5 */
async function md5Of(bytes: Uint8Array): Promise<string | null> {
  try {
    const hash = createHash('md5');
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      if (at > 0) await nextTurn();
      hash.update(bytes.subarray(at, at + PIECE_BYTES));
    }
    return hash.digest('base64');
  } catch {
    return null;
  }
}
