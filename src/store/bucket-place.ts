import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import { bucketKey, keyOfLocation } from './bucket-key';
import { shownKey, type BucketObjects, type Written } from './bucket-objects';
import type { BucketSettings } from './bucket-settings';
import { nameVariants } from './name-variants';
import type { FileAhead } from './store';

/** Where a file goes. */
export interface Place {
  key: string;
  /** True when an object of the same size lies there: it may be the same file. */
  occupied: boolean;
}

interface Content {
  /** Hex. */
  sha256: string;
  size: number;
}

/** The keys of a bucket: which are free, and what lies there. */
export class BucketPlaces {
  constructor(
    private readonly objects: BucketObjects,
    private readonly settings: BucketSettings
  ) {}

  /** The keys that a file may have, in order. @param tail makes the last one unlike any other */
  *keys(name: string, tail: string): Generator<string> {
    for (const variant of nameVariants(name, tail)) yield bucketKey(this.settings.prefix, variant);
  }

  /**
   * Chooses the key before the first byte is sent: an object cannot be renamed.
   *
   * @param taken keys at which other files are known to lie
   * @throws CodedError `STORE_FAILED`
   */
  async choose({ name, size }: FileAhead, tail: string, taken: ReadonlySet<string>): Promise<Place> {
    for (const key of this.keys(name, tail)) {
      if (taken.has(key)) continue;
      const found = await this.objects.probe(key);
      if (found.kind !== 'object') return { key, occupied: false };
      if (size === null || found.size === size) return { key, occupied: true };
    }
    throw allTaken(name);
  }

  /** Whether an object has just these bytes, read from the bucket. @throws CodedError `STORE_FAILED` */
  async holds(key: string, content: Content): Promise<boolean> {
    const found = await this.objects.probe(key);
    if (found.kind === 'missing') return false;
    if (found.kind === 'object' && found.size !== content.size) return false;
    const read = await this.read(key);
    return read.size === content.size && read.sha256 === content.sha256;
  }

  async read(key: string): Promise<Content> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const bytes of this.objects.read(key)) {
      hash.update(bytes);
      size += bytes.length;
    }
    return { sha256: hash.digest('hex'), size };
  }

  readLocation(location: string): Promise<Content> {
    return this.read(keyOfLocation(this.settings, location));
  }

  /**
   * Compares what the store says of an object it just took with what was sent. A store that names no
   * checksum has checked the hash in the signature; there the size is looked at.
   *
   * @throws CodedError `STORE_FAILED` when the object is wrong; it is deleted then
   */
  async verify(
    key: string,
    written: Written & { ok: true },
    checksum: string,
    content: Content
  ): Promise<void> {
    if (written.checksum === checksum) return;
    if (written.checksum === null) {
      const found = await this.objects.probe(key);
      if (found.kind === 'unknown' || (found.kind === 'object' && found.size === content.size)) return;
    } else if (await this.holds(key, content)) return; // Some stores name a checksum of another kind.
    await this.objects.remove(key);
    throw new CodedError(
      'STORE_FAILED',
      `What the bucket ${this.settings.bucket} held at ${shownKey(key)} was not what was sent. It was deleted and is sent again.`,
      { retryable: true }
    );
  }
}

export function allTaken(name: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `The name ${shownKey(name)} and all its variants are taken by other files.`
  );
}
