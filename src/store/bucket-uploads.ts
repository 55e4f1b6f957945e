import type { CodedError } from '../errors/coded-error';
import type { BucketConnection } from './bucket-connection';
import { describeError } from './bucket-fault';
import {
  checksum,
  condition,
  encryption,
  saysTaken,
  shownKey,
  type BucketObjects,
  type SentBytes,
  type Written
} from './bucket-objects';

export interface UploadedPart {
  /** From 1. */
  number: number;
  etag: string;
  sha256: Buffer;
}

/** `mayExist`: no answer came, so that the store may have begun the upload all the same. */
export type CreatedUpload =
  { ok: true; uploadId: string } | { ok: false; fault: CodedError; mayExist: boolean };

const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Multipart uploads to a bucket. All errors are CodedErrors `STORE_FAILED`. */
export class BucketUploads {
  constructor(
    private readonly connection: BucketConnection,
    private readonly objects: BucketObjects
  ) {}

  async create(key: string, contentType: string): Promise<CreatedUpload> {
    try {
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.CreateMultipartUploadCommand({
          ...this.connection.at(key),
          ...encryption(this.connection),
          ...(this.connection.sendsChecksums ? { ChecksumAlgorithm: 'SHA256' } : {}),
          ContentType: contentType
        });
        const { UploadId } = await client.send(command, { abortSignal });
        if (UploadId === undefined) throw new Error('the store did not name the upload');
        return { ok: true, uploadId: UploadId };
      });
    } catch (error) {
      const { status } = describeError(error);
      const fault = this.connection.fault(`begin the upload of ${shownKey(key)}`, error);
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
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.UploadPartCommand({
          ...this.connection.at(key),
          ...checksum(this.connection, body),
          UploadId: uploadId,
          PartNumber: number,
          Body: body.bytes,
          ContentLength: body.bytes.length
        });
        const { ETag } = await client.send(command, { abortSignal });
        if (ETag === undefined) throw new Error('the store did not name the part');
        return { number, etag: ETag, sha256: body.sha256 };
      });
    } catch (error) {
      if (await this.#isGone(key, uploadId, error)) return null;
      throw this.connection.fault(`send part ${number} of ${shownKey(key)}`, error);
    }
  }

  /** Makes the object. Looks first whether its key is free, because some stores ignore the condition here. */
  async complete(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<Written> {
    try {
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        if (await this.objects.isTaken(key)) return { ok: false, reason: 'taken' };
        const command = new sdk.CompleteMultipartUploadCommand({
          ...this.connection.at(key),
          ...condition(this.connection),
          UploadId: uploadId,
          MultipartUpload: {
            Parts: parts.map((part) => ({
              PartNumber: part.number,
              ETag: part.etag,
              ...checksum(this.connection, part)
            }))
          }
        });
        const answer = await client.send(command, { abortSignal });
        return { ok: true, checksum: answer.ChecksumSHA256 ?? null };
      });
    } catch (error) {
      if (saysTaken(error)) return { ok: false, reason: 'taken' };
      if (await this.#isGone(key, uploadId, error)) return { ok: false, reason: 'gone' };
      throw this.connection.fault(`complete the upload of ${shownKey(key)}`, error);
    }
  }

  /** Drops an upload with its parts; that it is gone already is no error. Works while closing, too. */
  async abort(key: string, uploadId: string): Promise<void> {
    try {
      await this.connection.send(async ({ sdk, client }) => {
        await client.send(
          new sdk.AbortMultipartUploadCommand({ ...this.connection.at(key), UploadId: uploadId })
        );
      });
    } catch (error) {
      if (describeError(error).code !== 'NoSuchUpload')
        throw this.connection.fault(`drop the upload of ${shownKey(key)}`, error);
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
    // Who may not look, or finds the store out of order, tries again with what there is.
    const known = await this.listTo(key).catch(() => [uploadId]);
    return !known.includes(uploadId);
  }

  /** @returns the ids of the incomplete uploads to exactly this key */
  async listTo(key: string): Promise<string[]> {
    try {
      return await this.connection.send(async ({ sdk, client, abortSignal }) => {
        const command = new sdk.ListMultipartUploadsCommand({
          Bucket: this.connection.settings.bucket,
          Prefix: key
        });
        const { Uploads = [] } = await client.send(command, { abortSignal });
        return Uploads.flatMap(({ Key, UploadId }) =>
          Key === key && UploadId !== undefined ? [UploadId] : []
        );
      });
    } catch (error) {
      throw this.connection.fault('list the incomplete uploads', error);
    }
  }
}
