import { CodedError } from '../../errors/coded-error';
import type { FileAhead, KnownCopy } from '../destination';
import { nameVariants } from '../folder/archive-path';
import { hashStream } from '../hash-stream';
import type { BucketSettings } from './client/settings';
import { bucketKey, keyOfLocation, shownKey } from './object-key';
import type { BucketObjects, WrittenObject } from './objects';

/** Where a file goes. */
export interface Place {
  key: string;
  /** True when an object of the same size exists, which may be the same file. */
  occupied: boolean;
}

interface Content {
  /** Hex. */
  sha256: string;
  size: number;
}

export interface HeldObject {
  /** Null where the bucket keeps no versions. */
  versionId: string | null;
}

/** The keys of a bucket: which are free, and what the others contain. */
export class ObjectPlacement {
  readonly #objects: BucketObjects;
  readonly #settings: BucketSettings;

  constructor(objects: BucketObjects, settings: BucketSettings) {
    this.#objects = objects;
    this.#settings = settings;
  }

  /** The keys that a file may have, in order. @param tail makes the last one unlike any other */
  *keys(name: string, tail: string): Generator<string> {
    for (const variant of nameVariants(name, tail)) yield bucketKey(this.#settings.prefix, variant);
  }

  /**
   * Chooses the key before the first byte is sent: an object cannot be renamed.
   *
   * @param taken keys at which other files are known to be
   * @throws CodedError `STORE_FAILED`
   */
  async choose({ name, size }: FileAhead, tail: string, taken: ReadonlySet<string>): Promise<Place> {
    for (const key of this.keys(name, tail)) {
      if (taken.has(key)) continue;
      const found = await this.#objects.probe(key);
      if (found.kind !== 'object') return { key, occupied: false };
      if (size === null || found.size === size) return { key, occupied: true };
    }
    throw allTaken(name);
  }

  /**
   * Whether an object has exactly these bytes, read from the bucket.
   *
   * @param version reads this one, even if it is not the newest
   * @returns null when it differs or does not exist
   * @throws CodedError `STORE_FAILED`
   */
  async holds(key: string, content: Content, version: string | null = null): Promise<HeldObject | null> {
    const found = await this.#objects.probe(key, version);
    if (found.kind === 'missing') return null;
    if (found.kind === 'object' && found.size !== content.size) return null;
    const wanted = found.kind === 'object' ? (found.versionId ?? version) : version;
    const read = await this.read(key, { size: content.size, versionId: wanted });
    if (read.size !== content.size || read.sha256 !== content.sha256) return null;
    return { versionId: read.versionId };
  }

  /** @param copy what is known of it */
  async read(key: string, copy?: KnownCopy): Promise<Content & HeldObject> {
    const options = copy === undefined ? {} : { versionId: copy.versionId, most: copy.size };
    const { bytes, versionId } = await this.#objects.read(key, options);
    return { ...(await hashStream(bytes)), versionId };
  }

  readLocation(location: string, copy?: KnownCopy): Promise<Content & HeldObject> {
    return this.read(keyOfLocation(this.#settings, location), copy);
  }

  /**
   * Compares what the store reports about a new object with what was sent, and checks that it exists. A store
   * without checksums has checked the hash in the signature.
   *
   * @throws CodedError `STORE_FAILED` when the object is wrong; it is then deleted
   */
  async verify(key: string, written: WrittenObject, checksum: string, content: Content): Promise<void> {
    if (await this.#isAsSent(key, written, checksum, content)) return;
    const end = await this.#objects.versions.remove(key, written.versionId).then(
      () => 'It was deleted and is sent again.',
      () =>
        'It could not be deleted, for which the key needs s3:DeleteObject and s3:DeleteObjectVersion. It is sent again.'
    );
    throw new CodedError(
      'STORE_FAILED',
      `What the bucket ${this.#settings.bucket} held at ${shownKey(key)} was not what was sent. ${end}`,
      { retryable: true }
    );
  }

  async #isAsSent(key: string, written: WrittenObject, checksum: string, content: Content): Promise<boolean> {
    const { versionId } = written;
    const found = await this.#objects.probe(key, versionId);
    if (found.kind === 'missing' || (found.kind === 'object' && found.size !== content.size)) return false;
    const isSaid = written.checksum === null || written.checksum === checksum;
    const isOther =
      found.kind === 'object' && found.etag !== null && written.etag !== null && found.etag !== written.etag;
    // Some stores report another kind of checksum, or spell an ETag differently when asked for it.
    return (isSaid && !isOther) || (await this.holds(key, content, versionId)) !== null;
  }
}

export function allTaken(name: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `The name ${shownKey(name)} and all its variants are taken by other files.`,
    // Files can be moved while the job waits, and a store may report a taken name by mistake.
    { retryable: true }
  );
}
