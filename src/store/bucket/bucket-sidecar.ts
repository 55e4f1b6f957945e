import { createHash } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import type { SidecarWriter } from '../destination';
import { type SidecarFound, type SidecarRecord, sidecarPath, sidecarText } from '../sidecar';
import type { BucketSettings } from './client/settings';
import { keyOfLocation, shownKey } from './object-key';
import type { BucketObjects, Probed } from './objects';

/** Larger objects beside a recording are not ours, and would take too long to parse. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/** The part of a bucket that objects beside recordings need. */
export interface BucketPlace {
  readonly objects: BucketObjects;
  readonly settings: BucketSettings;
}

/** The sidecars of a bucket: a second object, `<key>.json`, beside each stored one. */
export class BucketSidecars {
  readonly #store: BucketPlace;

  constructor(store: BucketPlace) {
    this.#store = store;
  }

  /** @param location `s3://bucket/key` of the stored file. @returns that of its sidecar */
  pathOf(location: string): string {
    return sidecarPath(location);
  }

  /**
   * Writes a sidecar, or updates the existing one. Never touches an object that is not the sidecar of the same
   * bytes.
   *
   * @throws CodedError `STORE_FAILED`
   */
  async write(location: string, record: SidecarRecord): Promise<void> {
    const key = this.#keyOf(location);
    const bytes = Buffer.from(sidecarText(record));
    const body = { bytes, sha256: createHash('sha256').update(bytes).digest() };
    const contentType = 'application/json';
    const { objects } = this.#store;
    if ((await objects.put(key, body, { contentType })).ok) return;
    const there = await objects.probe(key);
    const known = await this.#read(key, there);
    if (there.kind !== 'object' || !known.ok || known.record['sha256'] !== record.sha256)
      throw new CodedError(
        'STORE_FAILED',
        `${shownKey(key)} exists in the bucket and is not the sidecar of this recording; it was left alone.`
      );
    const { ok } = await objects.put(key, body, { contentType, replaces: there });
    if (!ok)
      throw new CodedError('STORE_FAILED', `${shownKey(key)} was changed while it was brought up to date.`, {
        retryable: true
      });
  }

  /** Reads a sidecar; a missing or damaged one is a result. @throws CodedError `STORE_FAILED` */
  async read(location: string): Promise<SidecarFound> {
    const key = this.#keyOf(location);
    return await this.#read(key, await this.#store.objects.probe(key));
  }

  async #read(key: string, found: Probed): Promise<SidecarFound> {
    if (found.kind === 'missing') return { ok: false, reason: 'missing' };
    if (found.kind === 'unknown' || found.size > LARGEST_BYTES) return { ok: false, reason: 'unreadable' };
    const pieces: Uint8Array[] = [];
    const { versionId, size } = found;
    const { bytes } = await this.#store.objects.read(key, { versionId, most: size });
    for await (const piece of bytes) pieces.push(piece);
    return parsed(Buffer.concat(pieces).toString('utf8'));
  }

  #keyOf(location: string): string {
    return keyOfLocation(this.#store.settings, sidecarPath(location));
  }
}

function parsed(text: string): SidecarFound {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { ok: true, record: { ...value } };
  } catch {
    // Not JSON: reported below.
  }
  return { ok: false, reason: 'unreadable' };
}

/** Sidecars as objects beside the stored ones. */
export function bucketSidecar(place: BucketPlace): SidecarWriter {
  const sidecars = new BucketSidecars(place);
  return {
    pathOf: (location) => sidecars.pathOf(location),
    write: (location, recording) => sidecars.write(location, { ...recording }),
    read: async (location) => {
      const found = await sidecars.read(location);
      return found.ok ? found.record : null;
    }
  };
}
