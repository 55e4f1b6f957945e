import { type Hash, createHash } from 'node:crypto';
import { CodedError } from '../../../errors/coded-error';
import type { SentBytes } from '../client/bucket-request';
import type { Written } from '../objects';
import type { MultipartApi, UploadedPart } from './multipart-api';
import type { UploadLog } from './upload-log';

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
      // If it may exist anyway, the entry stays: the next start looks for it by its key.
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

  /** Makes the object from all parts. @throws CodedError `STORE_FAILED` */
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

  /** An extra entry does no harm: the upload it names is gone. */
  async #forget(): Promise<void> {
    await this.#uploadLog.close(this.#entry).catch(() => undefined);
  }
}

/** The smallest part that S3 takes, except for the last one. */
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/**
 * The size of the parts: 5 MiB, to keep memory small; larger only as far as a file needs it to fit into
 * 10,000 parts. All parts have the same size, because some stores insist on it.
 *
 * @param size of the file in bytes, or null when it is unknown
 */
export function partBytes(size: number | null): number {
  const needed = Math.ceil((size ?? 0) / MOST_PARTS);
  const mebibyte = 1024 * 1024;
  return Math.max(SMALLEST_PART_BYTES, Math.ceil(needed / mebibyte) * mebibyte);
}

/** True when a file has as many parts as an upload can have. */
function isLastPart(number: number): boolean {
  return number >= MOST_PARTS;
}

/** Up to here, one part of a file may be filled while the previous one is sent; beyond, only after it. */
const PLENTY_BYTES = 4 * SMALLEST_PART_BYTES;

/** Memory for parts, reused: fresh memory for each would grow the process until it is garbage-collected. */
export class PartMemory {
  readonly #free: Buffer[] = [];
  #lent = 0;

  /** True when a caller with a part on its way should wait for its memory instead of taking more. */
  get isScarce(): boolean {
    return this.#lent >= PLENTY_BYTES;
  }

  take(size: number): Buffer {
    this.#lent += size;
    const index = this.#free.findIndex((buffer) => buffer.length === size);
    // Not from the pool of small buffers, and only touched as far as it is filled.
    return this.#free.splice(index, index < 0 ? 0 : 1)[0] ?? Buffer.allocUnsafeSlow(size);
  }

  giveBack(buffer: Buffer): void {
    this.#lent -= buffer.length;
    if (buffer.length === SMALLEST_PART_BYTES && this.#free.length < 4) this.#free.push(buffer);
  }

  clear(): void {
    this.#free.length = 0;
  }
}

/** A part that is being filled. */
export class FillingPart {
  readonly #buffer: Buffer;
  readonly #hash: Hash = createHash('sha256');
  #filled = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get size(): number {
    return this.#filled;
  }

  get isFull(): boolean {
    return this.#filled === this.#buffer.length;
  }

  /** Copies as much as fits. @returns the bytes that were taken */
  fill(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, this.#buffer.length - this.#filled);
    this.#buffer.set(taken, this.#filled);
    this.#filled += taken.length;
    this.#hash.update(taken);
    return taken;
  }

  /** Its content, to be sent. Call this only once. */
  content(): SentBytes {
    return { bytes: this.#buffer.subarray(0, this.#filled), sha256: this.#hash.digest() };
  }

  release(memory: PartMemory): void {
    memory.giveBack(this.#buffer);
  }
}
