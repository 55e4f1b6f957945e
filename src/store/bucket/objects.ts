import type { Readable } from 'node:stream';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { untilEither } from '../../concurrency/either-signal';
import { CodedError } from '../../errors/coded-error';
import { responseTime, notAStore, tooSlow } from './client/capped-responses';
import type { BucketConnection } from './client/connection';
import { describeError } from './client/fault';
import { KnownKind } from './bucket-kind';
import { shownKey } from './object-key';
import { condition, encryption, integrity, type SentBytes } from './client/bucket-request';

import { BucketVersions, versionOf } from './object-versions';

export interface PutOptions {
  contentType: string;
  metadata?: Record<string, string>;
  /** The object that is replaced, as it was found; without it the key must be free. */
  replaces?: FoundObject;
}

export interface FoundObject {
  kind: 'object';
  /** Bytes. */
  size: number;
  etag: string | null;
  /** Null where the bucket keeps no versions. */
  versionId: string | null;
}

export type Probed =
  | FoundObject
  | { kind: 'missing' }
  /** The access key is not permitted to look. */
  | { kind: 'unknown' };

export interface WrittenObject {
  ok: true;
  /** What the store reports about the new object, or null. */
  checksum: string | null;
  etag: string | null;
  versionId: string | null;
}

/** `under`: the version that was first, when only the list of versions shows it. */
export type Written = WrittenObject | { ok: false; reason: 'taken' | 'gone'; under?: string };

interface WriteCondition {
  /** ETag of what is replaced; null: without any condition; left out: the key must be free. */
  ifMatch?: string | null;
  /** Checked before each request; a request may be repeated without what the store does not implement. */
  when: () => Promise<boolean>;
}

export interface ReadOptions {
  versionId?: string | null;
  /**
   * Bytes; one more may be read, to see whether there are more. Default: as many as the response announces.
   */
  most?: number;
  /** A part of the object: its first byte, and the one behind its last. At most `most` bytes. */
  range?: { start: number; end: number };
  /** Ends the request, and the bytes. */
  signal?: AbortSignal | undefined;
}

export interface ReadObject {
  versionId: string | null;
  etag: string | null;
  bytes: AsyncGenerator<Uint8Array>;
}

/** Whole objects of a bucket. All errors are CodedErrors `STORE_FAILED`. */
export class BucketObjects {
  readonly #connection: BucketConnection;
  readonly versions: BucketVersions;
  readonly kind: KnownKind;

  constructor(connection: BucketConnection) {
    this.#connection = connection;
    this.kind = new KnownKind(connection);
    this.versions = new BucketVersions(connection);
  }

  /** Checks a key with a request whose errors, unlike those of HEAD, say what is wrong. */
  async probe(key: string, versionId: string | null = null, signal?: AbortSignal): Promise<Probed> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.GetObjectCommand({
          ...this.#connection.at(key),
          ...(versionId === null ? {} : { VersionId: versionId }),
          Range: 'bytes=0-0'
        });
        const found = await untilEither([abortSignal, signal], (either) =>
          client.send(command, { abortSignal: either })
        );
        letGo(found.Body, found.ContentLength);
        const size = /\/(\d{1,15})$/.exec(found.ContentRange ?? '')?.[1] ?? found.ContentLength;
        if (size === undefined) throw notAStore('it does not say how long an object is');
        return {
          kind: 'object',
          size: Number(size),
          etag: found.ETag ?? null,
          versionId: this.#connection.seen(versionOf(found.VersionId))
        };
      });
    } catch (error) {
      const { code, status } = describeError(error);
      if (code === 'NoSuchKey' || code === 'NoSuchVersion' || (status === 404 && code === ''))
        return { kind: 'missing' };
      if (code === 'InvalidRange' || status === 416)
        return { kind: 'object', size: 0, etag: null, versionId };
      if (code === 'AccessDenied' || (status === 403 && code === '')) return { kind: 'unknown' };
      throw this.#connection.fault(`look for ${shownKey(key)}`, error);
    }
  }

  /**
   * Whether something is at a key. Checked before each write: some stores have no conditional writes, and
   * some ignore the condition once the bucket is versioned.
   */
  async isTaken(key: string): Promise<boolean> {
    const { kind } = await this.probe(key);
    if (kind === 'unknown' && !this.#connection.sendsConditions)
      throw new CodedError(
        'STORE_FAILED',
        'This store has no conditional writes, and the access key may not check whether a name is free: it could ' +
          'overwrite a recording. Permit s3:GetObject and s3:ListBucket.'
      );
    if (kind === 'unknown' && (await this.#mayHide()))
      throw new CodedError(
        'STORE_FAILED',
        'This bucket keeps versions, and the access key may not check whether a name is free: it could hide another ' +
          'recording under this one. Permit s3:GetObject and s3:ListBucket.',
        { retryable: true }
      );
    return kind === 'object';
  }

  /** Whether a write to a key that cannot be looked at may hide, or replace, what is there in spite of its condition. */
  async #mayHide(): Promise<boolean> {
    if (this.#connection.isVersioned) return true;
    const { versioning } = await this.kind.get();
    return versioning === 'on' || versioning === 'suspended';
  }

  /** Stores an object in one request. */
  async put(key: string, body: SentBytes, options: PutOptions): Promise<Written> {
    try {
      const { replaces } = options;
      if (replaces !== undefined) return await this.#replace(key, body, options, replaces);
      const isFree = async (): Promise<boolean> => !(await this.isTaken(key));
      const written = await this.#write(key, body, options, { when: isFree });
      return written.ok ? await this.settled(key, written) : written;
    } catch (error) {
      if (saysTaken(error)) return { ok: false, reason: 'taken' };
      throw this.#connection.fault(`store ${shownKey(key)}`, error);
    }
  }

  /**
   * Checks the version below one that was just written: another process may have written the key at the same
   * time, and the first one keeps it. The later version is deleted.
   *
   * @param replaced the version to replace; the text `null` for one without an id
   */
  async settled(key: string, written: WrittenObject, replaced: string | null = null): Promise<Written> {
    const { versionId } = written;
    if (versionId === null) return written;
    const under = await this.versions.under(key, versionId);
    if (under === undefined || under === replaced) return written;
    await this.versions.takeBack(key, versionId);
    return { ok: false, reason: 'taken', ...(under === null ? {} : { under }) };
  }

  async #replace(key: string, body: SentBytes, options: PutOptions, replaces: FoundObject): Promise<Written> {
    const isSame = async (): Promise<boolean> => {
      const now = await this.probe(key);
      return now.kind === 'object' && now.versionId === replaces.versionId && now.etag === replaces.etag;
    };
    const etag = replaces.etag ?? '*';
    // AWS accepts an ETag with or without its quotes, Ceph only without, others only as in HTTP.
    for (const ifMatch of new Set([etag.replaceAll('"', ''), etag])) {
      const isSafe = async (): Promise<boolean> => this.#connection.sendsConditions || (await isSame());
      try {
        return await this.#write(key, body, options, { ifMatch, when: isSafe });
      } catch (error) {
        if (!saysTaken(error)) throw error;
      }
    }
    // Some stores refuse every condition of this kind once the bucket is versioned.
    if (!this.#connection.isVersioned) return { ok: false, reason: 'taken' };
    const written = await this.#write(key, body, options, { ifMatch: null, when: isSame });
    return written.ok ? await this.settled(key, written, replaces.versionId ?? 'null') : written;
  }

  async #write(
    key: string,
    body: SentBytes,
    { contentType, metadata }: PutOptions,
    { ifMatch, when }: WriteCondition
  ): Promise<WrittenObject | { ok: false; reason: 'taken' }> {
    return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
      if (!(await when())) return { ok: false, reason: 'taken' };
      const connection = this.#connection;
      const command = new sdk.PutObjectCommand({
        ...connection.at(key),
        ...encryption(connection),
        ...condition(connection, ifMatch),
        ...(await integrity(connection, body)),
        Body: body.bytes,
        ContentLength: body.bytes.length,
        ContentType: contentType,
        ...(metadata === undefined ? {} : { Metadata: metadata })
      });
      return this.writtenBy(await client.send(command, { abortSignal }));
    });
  }

  /** The fields of the response to a write. */
  writtenBy(answer: Pick<PutObjectCommandOutput, 'ETag' | 'ChecksumSHA256' | 'VersionId'>): WrittenObject {
    return {
      ok: true,
      checksum: answer.ChecksumSHA256 ?? null,
      etag: answer.ETag ?? null,
      versionId: this.#connection.seen(versionOf(answer.VersionId))
    };
  }

  /** Reads an object; its bytes come as they are iterated. */
  async read(key: string, options: ReadOptions = {}): Promise<ReadObject> {
    const { versionId = null, most, range, signal } = options;
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.GetObjectCommand({
          ...this.#connection.at(key),
          ...(versionId === null ? {} : { VersionId: versionId }),
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` })
        });
        const answer = await untilEither([abortSignal, signal], (either) =>
          client.send(command, { abortSignal: either })
        );
        const { Body, ContentLength, ContentRange, ETag, VersionId } = answer;
        if (range !== undefined && ContentRange?.startsWith(`bytes ${range.start}-`) !== true) {
          letGo(Body, undefined);
          throw notAStore('it sends another part of an object than it was asked for');
        }
        const limit = most ?? ContentLength;
        if (limit === undefined) letGo(Body, undefined);
        if (Body === undefined || limit === undefined)
          throw notAStore('it does not say how long an object is');
        return {
          versionId: this.#connection.seen(versionOf(VersionId)),
          etag: ETag ?? null,
          bytes: this.#limited(key, Body as Readable, { limit, signal })
        };
      });
    } catch (error) {
      if (versionId !== null && describeError(error).code === 'AccessDenied') {
        // Reading a version needs a separate permission (s3:GetObjectVersion); often it is the current one.
        const current = await this.read(key, { ...options, versionId: null }).catch(() => null);
        if (current?.versionId === versionId) return current;
        await current?.bytes.return(undefined);
      }
      throw this.#connection.fault(`read ${shownKey(key)}`, error);
    }
  }

  async *#limited(
    key: string,
    body: Readable,
    { limit, signal }: { limit: number; signal: AbortSignal | undefined }
  ): AsyncGenerator<Uint8Array> {
    const stop = (): void => void body.destroy();
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const timer = setTimeout(() => body.destroy(tooSlow()), responseTime(limit, this.#connection.limits));
    let size = 0;
    try {
      for await (const bytes of body as AsyncIterable<Buffer>) {
        size += bytes.length;
        yield bytes.subarray(0, bytes.length - Math.max(0, size - limit - 1));
        // Leaving the loop destroys the body.
        if (size > limit) return;
      }
    } catch (error) {
      throw this.#connection.fault(`read ${shownKey(key)}`, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      body.destroy();
    }
  }
}

export function saysTaken(error: unknown): boolean {
  const { code, status } = describeError(error);
  return code === 'PreconditionFailed' || status === 412;
}

/**
 * Ends a body that is no longer needed. Reads it to its end only if that is a single byte, which keeps the
 * connection.
 */
function letGo(body: unknown, length: number | undefined): void {
  const stream = body as Readable | undefined;
  stream?.on('error', () => undefined);
  if (length !== undefined && length <= 1) stream?.resume();
  else stream?.destroy();
}
