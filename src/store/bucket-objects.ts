import type { ServerSideEncryption } from '@aws-sdk/client-s3';
import { CodedError } from '../errors/coded-error';
import type { BucketConnection } from './bucket-connection';
import { describeError } from './bucket-fault';

/** Bytes to send, and their hash. */
export interface SentBytes {
  bytes: Uint8Array;
  sha256: Buffer;
}

export interface PutOptions {
  contentType: string;
  metadata?: Record<string, string>;
  /** ETag of the object that is replaced; without it the key must be free. */
  replaces?: string;
}

export type Probed =
  | { kind: 'object'; size: number; etag: string | null }
  | { kind: 'missing' }
  /** The access key is not permitted to look. */
  | { kind: 'unknown' };

/** `checksum`: what the store says of the object it took, or null when it names none. */
export type Written = { ok: true; checksum: string | null } | { ok: false; reason: 'taken' | 'gone' };

/** Whole objects of a bucket. All errors are CodedErrors `STORE_FAILED`. */
export class BucketObjects {
  constructor(private readonly connection: BucketConnection) {}

  /** Looks at a key with a request whose errors, unlike those of HEAD, say what is wrong. */
  async probe(key: string): Promise<Probed> {
    try {
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.GetObjectCommand({ ...this.connection.at(key), Range: 'bytes=0-0' });
        const found = await client.send(command, { abortSignal });
        await found.Body?.transformToByteArray();
        const size = /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1] ?? found.ContentLength ?? 0;
        return { kind: 'object', size: Number(size), etag: found.ETag ?? null };
      });
    } catch (error) {
      const { code, status } = describeError(error);
      if (code === 'NoSuchKey' || (status === 404 && code === '')) return { kind: 'missing' };
      if (code === 'InvalidRange' || status === 416) return { kind: 'object', size: 0, etag: null };
      if (code === 'AccessDenied' || (status === 403 && code === '')) return { kind: 'unknown' };
      throw this.connection.fault(`look for ${shownKey(key)}`, error);
    }
  }

  /**
   * Whether something lies at a key. Stores without conditional writes, or that ignore the condition,
   * are asked before each write.
   */
  async isTaken(key: string): Promise<boolean> {
    const { kind } = await this.probe(key);
    if (kind === 'unknown' && !this.connection.sendsConditions)
      throw new CodedError(
        'STORE_FAILED',
        'This store has no conditional writes, and the access key may not look whether a name is free: it could ' +
          'overwrite a recording. Permit s3:GetObject and s3:ListBucket.'
      );
    return kind === 'object';
  }

  /** Stores an object in one request. */
  async put(key: string, body: SentBytes, options: PutOptions): Promise<Written> {
    const { replaces } = options;
    if (replaces === undefined) return await this.#put(key, body, options);
    // AWS takes an ETag with and without its quotes, Ceph only without, others only as HTTP has it.
    const plain = await this.#put(key, body, { ...options, replaces: replaces.replaceAll('"', '') });
    return plain.ok ? plain : await this.#put(key, body, options);
  }

  async #put(key: string, body: SentBytes, options: PutOptions): Promise<Written> {
    try {
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const { connection } = this;
        if (!connection.sendsConditions && options.replaces === undefined && (await this.isTaken(key)))
          return { ok: false, reason: 'taken' };
        const command = new sdk.PutObjectCommand({
          ...connection.at(key),
          ...encryption(connection),
          ...condition(connection, options.replaces),
          ...checksum(connection, body),
          Body: body.bytes,
          ContentLength: body.bytes.length,
          ContentType: options.contentType,
          ...(options.metadata === undefined ? {} : { Metadata: options.metadata })
        });
        const answer = await client.send(command, { abortSignal });
        return { ok: true, checksum: answer.ChecksumSHA256 ?? null };
      });
    } catch (error) {
      if (saysTaken(error)) return { ok: false, reason: 'taken' };
      throw this.connection.fault(`store ${shownKey(key)}`, error);
    }
  }

  /** Reads an object. */
  async *read(key: string): AsyncGenerator<Uint8Array> {
    try {
      const body = await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const found = await client.send(new sdk.GetObjectCommand(this.connection.at(key)), { abortSignal });
        return found.Body as AsyncIterable<Uint8Array> | undefined;
      });
      if (body !== undefined) yield* body;
    } catch (error) {
      throw this.connection.fault(`read ${shownKey(key)}`, error);
    }
  }

  /** Deletes an object. */
  async remove(key: string): Promise<void> {
    try {
      await this.connection.send(async ({ sdk, client }) => {
        await client.send(new sdk.DeleteObjectCommand(this.connection.at(key)));
      });
    } catch (error) {
      throw this.connection.fault(`delete ${shownKey(key)}`, error);
    }
  }
}

/** How the server is to encrypt. */
export function encryption({ settings }: BucketConnection): {
  ServerSideEncryption?: ServerSideEncryption;
  SSEKMSKeyId?: string;
} {
  const { sse, kmsKeyId } = settings;
  if (sse === '') return {};
  return { ServerSideEncryption: sse, ...(kmsKeyId === null ? {} : { SSEKMSKeyId: kmsKeyId }) };
}

/** The condition that keeps a write from overwriting anything else. */
export function condition(
  { sendsConditions }: BucketConnection,
  replaces?: string
): { IfMatch?: string; IfNoneMatch?: string } {
  if (!sendsConditions) return {};
  return replaces === undefined ? { IfNoneMatch: '*' } : { IfMatch: replaces };
}

export function checksum(
  { sendsChecksums }: BucketConnection,
  { sha256 }: Pick<SentBytes, 'sha256'>
): { ChecksumSHA256?: string } {
  return sendsChecksums ? { ChecksumSHA256: sha256.toString('base64') } : {};
}

export function saysTaken(error: unknown): boolean {
  const { code, status } = describeError(error);
  return code === 'PreconditionFailed' || status === 412;
}

/** A key for an error text. */
export function shownKey(key: string): string {
  return key.replace(/[^\x20-\x7e]/g, '?');
}
