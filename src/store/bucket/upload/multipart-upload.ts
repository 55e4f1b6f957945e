import { createHash } from 'node:crypto';
import { CodedError } from '../../../errors/coded-error';
import type { UploadLog } from './upload-log';
import type { Written } from '../objects';
import { isLastPart } from './upload-part';
import type { SentBytes } from '../client/bucket-request';
import type { MultipartApi, UploadedPart } from './multipart-api';

/** One multipart upload from its start to its end, logged while it lasts. */
export class MultipartUpload {
  readonly #uploads: MultipartApi;
  readonly #uploadLog: UploadLog;
  readonly #entry: string;
  readonly #uploadId: string;
  readonly #parts: UploadedPart[] = [];
  #isGone = false;

  readonly key: string;

  private constructor(
    uploads: MultipartApi,
    uploadLog: UploadLog,
    entry: string,
    { key, uploadId }: { key: string; uploadId: string }
  ) {
    this.key = key;
    this.#uploads = uploads;
    this.#uploadLog = uploadLog;
    this.#entry = entry;
    this.#uploadId = uploadId;
  }

  /** @throws CodedError `STORE_FAILED` */
  static async begin(
    uploads: MultipartApi,
    uploadLog: UploadLog,
    key: string,
    contentType: string
  ): Promise<MultipartUpload> {
    const entry = await uploadLog.open(key);
    const created = await uploads.create(key, contentType);
    if (!created.ok) {
      // When it may exist all the same, the entry stays: the next start looks for it by its key.
      if (!created.mayExist) await uploadLog.close(entry).catch(() => undefined);
      throw created.fault;
    }
    const named = { key, uploadId: created.uploadId };
    const upload = new MultipartUpload(uploads, uploadLog, entry, named);
    try {
      await uploadLog.name(entry, named);
    } catch (error) {
      await upload.drop();
      throw error;
    }
    return upload;
  }

  /** True when a later attempt can resume from what arrived. */
  get isOfUse(): boolean {
    return this.#parts.length > 0 && !this.#isGone;
  }

  /** Sends the next part. @throws CodedError `STORE_FAILED`, `TOO_LARGE` */
  async send(body: SentBytes): Promise<void> {
    if (isLastPart(this.#parts.length))
      throw new CodedError(
        'TOO_LARGE',
        'The file is larger than 48 GiB, and its size was not announced: a bucket takes no more parts.'
      );
    const part = await this.#uploads.sendPart(this.key, this.#uploadId, this.#parts.length + 1, body);
    if (part === null) {
      this.#isGone = true;
      throw new CodedError(
        'STORE_FAILED',
        'The store dropped the upload before it was complete. The recording is sent again from its start. Does a ' +
          'rule of the bucket remove incomplete uploads too early?',
        { retryable: true }
      );
    }
    this.#parts.push(part);
  }

  /** Makes the object of all parts. @throws CodedError `STORE_FAILED` */
  async complete(): Promise<Written> {
    const written = await this.#uploads.complete(this.key, this.#uploadId, this.#parts);
    if (written.ok) await this.#forget();
    return written;
  }

  /** What S3 calls the checksum of an object of parts: the hash of the hashes, and their number. */
  get checksum(): string {
    const hash = createHash('sha256');
    for (const { sha256 } of this.#parts) hash.update(sha256);
    return `${hash.digest('base64')}-${this.#parts.length}`;
  }

  /** Drops the upload with its parts. Never throws: what cannot be dropped now stays in the log. */
  async drop(): Promise<void> {
    try {
      await this.#uploads.abort(this.key, this.#uploadId);
    } catch {
      return;
    }
    await this.#forget();
  }

  /** An entry too many does no harm: the upload it names is gone. */
  async #forget(): Promise<void> {
    await this.#uploadLog.close(this.#entry).catch(() => undefined);
  }
}
