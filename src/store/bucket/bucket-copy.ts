import { CodedError } from '../../errors/coded-error';
import type { FileAhead, FileToPublish, PartialCopy, PublishedFile, RememberedBytes } from '../destination';
import type { BucketSettings } from './client/settings';
import { RunningHash } from './object-hash';
import { bucketLocation, shownKey } from './object-key';
import { type ObjectPlacement, type Place, allTaken } from './object-placement';
import type { BucketObjects } from './objects';
import type { MultipartApi } from './upload/multipart-api';
import { FillingPart, MultipartUpload, type PartMemory, partBytes } from './upload/multipart-upload';
import type { UploadLog } from './upload/upload-log';

interface StoredObject {
  key: string;
  alreadyStored: boolean;
  versionId: string | null;
}

/** What the copies of one store work with. */
export interface BucketTools {
  settings: BucketSettings;
  objects: BucketObjects;
  uploads: MultipartApi;
  places: ObjectPlacement;
  uploadLog: UploadLog;
  memory: PartMemory;
  /** True when nothing needs to be kept for later. */
  isClosing: () => boolean;
}

/**
 * A file on its way into a bucket. Up to one part waits in memory and is stored in one request; beyond that
 * it is sent in parts while it arrives: one part is filled while the previous one is sent.
 */
export class BucketCopy implements PartialCopy {
  readonly #tools: BucketTools;
  readonly #jobId: string;
  readonly #ended: (keep: boolean) => void;
  readonly #hash = new RunningHash();
  /** The state after the last part that certainly arrived. */
  #arrived: RememberedBytes = this.#hash.remembered();
  #ahead: FileAhead | undefined;
  #place: Place | undefined;
  /** Keys that turned out to hold other files. */
  readonly #taken = new Set<string>();
  #filling: FillingPart | undefined;
  #upload: MultipartUpload | undefined;
  #sending: Promise<void> | undefined;
  #fault: { error: unknown } | undefined;
  /** The file may be in the bucket already: its bytes are hashed and not sent. */
  #isOnlyHashed = false;
  /** The last part was sent; no byte may follow. */
  #hasEnd = false;
  #isWrong = false;

  /**
   * @param jobId makes the last variant of the name
   * @param ended called when the copy is closed; `keep`: what is known helps a later attempt
   */
  constructor(tools: BucketTools, jobId: string, ended: (keep: boolean) => void) {
    this.#tools = tools;
    this.#jobId = jobId;
    this.#ended = ended;
  }

  get size(): number {
    return this.#hash.size;
  }

  async begin(file: FileAhead): Promise<void> {
    this.#ahead = file;
    this.#place = await this.#tools.places.choose(file, this.#tail, this.#taken);
  }

  read(): AsyncIterable<Uint8Array> {
    const refuse = (): Promise<never> =>
      Promise.reject(new CodedError('STORE_FAILED', 'An upload cannot be read before it is an object.'));
    return { [Symbol.asyncIterator]: () => ({ next: refuse }) };
  }

  remembered(): RememberedBytes {
    return this.#hash.remembered();
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#hasEnd) throw this.#wrong('bytes came after the end of the upload');
      if (this.#filling?.isFull === true) await this.#nextPart();
      if (this.#filling === undefined && this.#tools.memory.isScarce) await this.#settled();
      const taken = this.#isOnlyHashed ? rest : this.#fill(rest);
      this.#hash.add(taken);
      rest = rest.subarray(taken.length);
    }
  }

  async restart(): Promise<void> {
    await this.#reset();
  }

  async suspend(): Promise<void> {
    await this.#sending;
    const { isClosing } = this.#tools;
    if (isClosing() || this.#isWrong || this.#upload?.isOfUse !== true) await this.#reset();
    else this.#goBackToArrived();
    this.#ended(!isClosing() && (this.size > 0 || this.#taken.size > 0));
  }

  async discard(): Promise<void> {
    await this.#reset();
    this.#ended(false);
  }

  async publish(file: FileToPublish): Promise<PublishedFile> {
    if (this.size !== file.size || this.#hash.sha256() !== file.sha256)
      throw this.#wrong('they are not the bytes that were received');
    this.#ahead ??= file;
    this.#place ??= await this.#tools.places.choose(file, this.#tail, this.#taken);
    const { key, alreadyStored, versionId } = await this.#store(file, this.#place);
    this.#releasePart();
    this.#ended(false);
    return {
      location: bucketLocation(this.#tools.settings.bucket, key),
      alreadyStored,
      ...(versionId === null ? {} : { versionId })
    };
  }

  async #store(file: FileToPublish, place: Place): Promise<StoredObject> {
    if (this.#upload !== undefined) return await this.#complete(file, this.#upload);
    if (!this.#isOnlyHashed) return await this.#storeAtOnce(file, place);
    const held = await this.#tools.places.holds(place.key, file);
    if (held !== null) return { key: place.key, alreadyStored: true, ...held };
    throw await this.#takenByAnother(place.key);
  }

  /** Everything is still in memory, so the next name can be tried immediately. */
  async #storeAtOnce(file: FileToPublish, place: Place): Promise<StoredObject> {
    const { objects, places, memory } = this.#tools;
    const body = (this.#filling ?? new FillingPart(memory.take(0))).content();
    const { contentType, sha256 } = file;
    for (const key of places.keys(file.name, this.#tail)) {
      if (this.#taken.has(key)) continue;
      let under: string | undefined;
      if (!place.occupied || place.key !== key) {
        const written = await objects.put(key, body, { contentType, metadata: { sha256 } });
        if (written.ok) {
          await places.verify(key, written, body.sha256.toString('base64'), file);
          return { key, alreadyStored: false, versionId: written.versionId };
        }
        under = written.under;
      }
      const held = await places.holds(key, file, under);
      if (held !== null) return { key, alreadyStored: true, ...held };
      if (!(await objects.isTaken(key))) throw refusedAsTaken(key);
      this.#taken.add(key);
    }
    throw allTaken(file.name);
  }

  async #complete(file: FileToPublish, upload: MultipartUpload): Promise<StoredObject> {
    if (this.#filling !== undefined) await this.#sendPart();
    await this.#settled();
    const { key } = upload;
    const written = await upload.complete();
    if (written.ok) {
      this.#upload = undefined;
      await this.#tools.places.verify(key, written, upload.checksum, file);
      return { key, alreadyStored: false, versionId: written.versionId };
    }
    // `gone`: it was completed earlier and the response was lost, or it was dropped.
    const held = await this.#tools.places.holds(key, file, written.under);
    if (held !== null) {
      await this.#dropUpload();
      return { key, alreadyStored: written.reason === 'taken', ...held };
    }
    if (written.reason === 'taken' && !(await this.#tools.objects.isTaken(key))) throw refusedAsTaken(key);
    if (written.reason === 'taken') throw await this.#takenByAnother(key);
    throw this.#wrong('the store dropped the upload before it was complete');
  }

  #fill(bytes: Uint8Array): Uint8Array {
    const size = this.#ahead?.size ?? null;
    const rest = size === null ? this.#partBytes : Math.max(1, Math.min(this.#partBytes, size - this.size));
    this.#filling ??= new FillingPart(this.#tools.memory.take(rest));
    return this.#filling.fill(bytes);
  }

  /** The part is full and more bytes come. */
  async #nextPart(): Promise<void> {
    if (this.#place?.occupied === true) {
      this.#isOnlyHashed = true;
      this.#releasePart();
    } else await this.#sendPart();
  }

  /** Starts to send the part once the previous one has arrived. */
  async #sendPart(): Promise<void> {
    const part = this.#filling;
    if (part === undefined) return;
    await this.#settled();
    if (this.#upload === undefined) {
      const { uploads, uploadLog: uploadLog } = this.#tools;
      if (this.#place === undefined || this.#ahead === undefined)
        throw this.#wrong('bytes came before their name');
      this.#upload = await MultipartUpload.begin(
        uploads,
        uploadLog,
        this.#place.key,
        this.#ahead.contentType
      );
    }
    this.#filling = undefined;
    this.#hasEnd = part.size < this.#partBytes;
    const state = this.#hash.remembered();
    this.#sending = this.#upload
      .send(part.content())
      .then(
        () => void (this.#arrived = state),
        (error: unknown) => void (this.#fault = { error })
      )
      .finally(() => part.release(this.#tools.memory));
  }

  async #settled(): Promise<void> {
    await this.#sending;
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** Another file is at the key, and the bytes are no longer here: the next attempt takes another name. */
  async #takenByAnother(key: string): Promise<CodedError> {
    this.#taken.add(key);
    await this.#reset();
    return new CodedError(
      'STORE_FAILED',
      `Another file is in the bucket at ${shownKey(key)}. The recording is fetched again and stored beside it.`,
      { retryable: true }
    );
  }

  #wrong(what: string): CodedError {
    this.#isWrong = true;
    return new CodedError('STORE_FAILED', `The upload starts over: ${what}.`, { retryable: true });
  }

  #goBackToArrived(): void {
    this.#releasePart();
    this.#fault = undefined;
    this.#hash.goBackTo(this.#arrived);
    this.#hasEnd = this.#arrived.size % this.#partBytes !== 0;
  }

  /** Forgets everything but the names that are taken. */
  async #reset(): Promise<void> {
    await this.#sending;
    await this.#dropUpload();
    this.#arrived = new RunningHash().remembered();
    this.#goBackToArrived();
    this.#ahead = undefined;
    this.#place = undefined;
    this.#isOnlyHashed = false;
    this.#isWrong = false;
  }

  async #dropUpload(): Promise<void> {
    const upload = this.#upload;
    this.#upload = undefined;
    await upload?.drop();
  }

  #releasePart(): void {
    this.#filling?.release(this.#tools.memory);
    this.#filling = undefined;
  }

  get #partBytes(): number {
    return partBytes(this.#ahead?.size ?? null);
  }

  get #tail(): string {
    return this.#jobId.slice(-16);
  }
}

/** Keeps a store that reports free names as taken from using up names. */
function refusedAsTaken(key: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `The store refused ${shownKey(key)} although no object is there. It is tried again.`,
    { retryable: true }
  );
}
