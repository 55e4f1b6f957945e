import type { CodedError } from '../../../errors/coded-error';
import type { BucketConnection } from '../client/connection';
import { describeError } from '../client/fault';
import { notAStore } from '../client/capped-responses';
import { shownKey } from '../object-key';
import { saysTaken, type BucketObjects, type Written } from '../objects';
import { checksum, condition, encryption, integrity, type SentBytes } from '../client/bucket-request';

/** Far longer than any id or ETag that a store issues. */
const LONGEST_NAME = 2048;

export interface UploadedPart {
  /** From 1. */
  number: number;
  etag: string;
  sha256: Buffer;
}

/** `mayExist`: no response arrived, so the store may have started the upload anyway. */
export type CreatedUpload =
  { ok: true; uploadId: string } | { ok: false; fault: CodedError; mayExist: boolean };

/** Uploads per page of a list: there are hardly ever two to a key. */
const PAGE = 50;

/** The SDK knows the clock of a store to the second; a clock that is right needs no correction. */
const CLOCK_TOLERANCE_MS = 60_000;

const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Multipart uploads to a bucket. All errors are CodedErrors `STORE_FAILED`. */
export class MultipartApi {
  readonly #connection: BucketConnection;
  readonly #objects: BucketObjects;

  constructor(connection: BucketConnection, objects: BucketObjects) {
    this.#connection = connection;
    this.#objects = objects;
  }

  async create(key: string, contentType: string): Promise<CreatedUpload> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.CreateMultipartUploadCommand({
          ...this.#connection.at(key),
          ...encryption(this.#connection),
          ...(this.#connection.sendsChecksums ? { ChecksumAlgorithm: 'SHA256' } : {}),
          ContentType: contentType
        });
        const { UploadId } = await client.send(command, { abortSignal });
        return { ok: true, uploadId: named('upload', UploadId) };
      });
    } catch (error) {
      const { status } = describeError(error);
      const fault = this.#connection.fault(`begin the upload of ${shownKey(key)}`, error);
      return { ok: false, fault, mayExist: status === 0 || status >= 500 };
    }
  }

  /** @returns null when the store no longer knows the upload */
  async sendPart(
    key: string,
    uploadId: string,
    number: number,
    body: SentBytes
  ): Promise<UploadedPart | null> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.UploadPartCommand({
          ...this.#connection.at(key),
          ...(await integrity(this.#connection, body)),
          UploadId: uploadId,
          PartNumber: number,
          Body: body.bytes,
          ContentLength: body.bytes.length
        });
        const { ETag } = await client.send(command, { abortSignal });
        return { number, etag: named('part', ETag), sha256: body.sha256 };
      });
    } catch (error) {
      if (await this.#isGone(key, uploadId, error)) return null;
      throw this.#connection.fault(`send part ${number} of ${shownKey(key)}`, error);
    }
  }

  /**
   * Makes the object. First checks whether its key is free, because some stores ignore the condition here.
   */
  async complete(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<Written> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        if (await this.#objects.isTaken(key)) return { ok: false, reason: 'taken' };
        const command = new sdk.CompleteMultipartUploadCommand({
          ...this.#connection.at(key),
          ...condition(this.#connection),
          UploadId: uploadId,
          MultipartUpload: {
            Parts: parts.map((part) => ({
              PartNumber: part.number,
              ETag: part.etag,
              ...checksum(this.#connection, part)
            }))
          }
        });
        const written = this.#objects.writtenBy(await client.send(command, { abortSignal }));
        return await this.#objects.settled(key, written);
      });
    } catch (error) {
      if (saysTaken(error)) return { ok: false, reason: 'taken' };
      if (await this.#isGone(key, uploadId, error)) return { ok: false, reason: 'gone' };
      throw this.#connection.fault(`complete the upload of ${shownKey(key)}`, error);
    }
  }

  /** Drops an upload with its parts; it is no error if it is already gone. Works while closing, too. */
  async abort(key: string, uploadId: string): Promise<void> {
    try {
      await this.#connection.send(async ({ sdk, client }) => {
        await client.send(
          new sdk.AbortMultipartUploadCommand({ ...this.#connection.at(key), UploadId: uploadId })
        );
      });
    } catch (error) {
      if (describeError(error).code !== 'NoSuchUpload')
        throw this.#connection.fault(`drop the upload of ${shownKey(key)}`, error);
    }
  }

  /**
   * Some stores report a fault of their own instead of a missing upload, and some hang up while the part is
   * still on its way, so that their answer is never read.
   */
  async #isGone(key: string, uploadId: string, error: unknown): Promise<boolean> {
    const { code, status } = describeError(error);
    if (code === 'NoSuchUpload') return true;
    if (status < 500 && !HUNG_UP.has(code)) return false;
    // If looking is forbidden, or the store is out of order, the upload counts as known and is tried again.
    const known = await this.listTo(key).catch(() => [uploadId]);
    return !known.includes(uploadId);
  }

  /** @returns the ids of the incomplete uploads to exactly this key */
  async listTo(key: string): Promise<string[]> {
    return (await this.#listed(key)).map(({ id }) => id);
  }

  /**
   * Incomplete uploads to a key that have no part, and whose first part would have arrived long ago: an upload
   * starts when its first part is complete.
   *
   * @param ageMs milliseconds since they started, by the clock of the store
   */
  async emptyTo(key: string, ageMs: number): Promise<{ old: string[]; young: number }> {
    const old: string[] = [];
    let young = 0;
    for (const { id, age } of await this.#listed(key)) {
      if (age < ageMs) young += 1;
      else if (!(await this.#hasParts(key, id))) old.push(id);
    }
    return { old, young };
  }

  async #hasParts(key: string, uploadId: string): Promise<boolean> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.ListPartsCommand({
          ...this.#connection.at(key),
          UploadId: uploadId,
          MaxParts: 1
        });
        const { Parts = [] } = await client.send(command, { abortSignal });
        return Parts.length > 0;
      });
    } catch (error) {
      throw this.#connection.fault(`list the parts of ${shownKey(key)}`, error);
    }
  }

  async #listed(key: string): Promise<{ id: string; age: number }[]> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.ListMultipartUploadsCommand({
          Bucket: this.#connection.settings.bucket,
          Prefix: key,
          MaxUploads: PAGE
        });
        const { Uploads = [] } = await client.send(command, { abortSignal });
        const { systemClockOffset } = client.config;
        const isSkewed = Math.abs(systemClockOffset) > CLOCK_TOLERANCE_MS;
        const now = Date.now() + (isSkewed ? systemClockOffset : 0);
        return Uploads.flatMap(({ Key, UploadId, Initiated }) =>
          Key === key && UploadId !== undefined
            ? [{ id: UploadId, age: now - (Initiated?.getTime() ?? now) }]
            : []
        );
      });
    } catch (error) {
      throw this.#connection.fault('list the incomplete uploads', error);
    }
  }
}

/** @throws CodedError `STORE_FAILED` for what no store would send */
function named(what: string, name: string | undefined): string {
  if (name === undefined || name === '') throw notAStore(`it does not name the ${what}`);
  if (name.length > LONGEST_NAME) throw notAStore(`its name for the ${what} is too long`);
  return name;
}
