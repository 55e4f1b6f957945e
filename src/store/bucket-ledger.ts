import { createHash, randomUUID } from 'node:crypto';
import type { StateCollection } from '../state/state-database';
import type { BucketSettings } from './bucket-settings';
import { storeFault } from './store-fault';

/** A multipart upload that was begun, as it is written down until it is completed or dropped. */
export interface NotedUpload {
  key: string;
  /** Null: the process died before the store named the upload. */
  uploadId: string | null;
}

/** Tells the uploads of this process from those that an earlier one left behind. */
const RUN = randomUUID();

/**
 * Which uploads to a bucket are under way, on disk: a killed process would otherwise leave parts that
 * nobody sees and everybody pays for.
 */
export class UploadLedger {
  readonly #place: string;

  /** @param run names this process */
  constructor(
    private readonly collection: StateCollection<NotedUpload>,
    { endpoint, region, bucket }: BucketSettings,
    private readonly run: string = RUN
  ) {
    const place = JSON.stringify([endpoint, region, bucket]);
    this.#place = createHash('sha256').update(place).digest('hex').slice(0, 24);
  }

  /** Writes down that an upload to a key is about to begin. @returns the entry's name. @throws CodedError */
  async open(key: string): Promise<string> {
    const entry = `${this.#place}:${this.run}:${randomUUID()}`;
    await this.#written(() => this.collection.put(entry, { key, uploadId: null }));
    return entry;
  }

  /** Adds the id that the store gave. @throws CodedError */
  async name(entry: string, upload: NotedUpload): Promise<void> {
    await this.#written(() => this.collection.put(entry, upload));
  }

  /** Forgets an upload that is completed or dropped. @throws CodedError */
  async close(entry: string): Promise<void> {
    await this.#written(() => this.collection.remove(entry));
  }

  /** What earlier processes left in this bucket. */
  leftOvers(): { entry: string; upload: NotedUpload }[] {
    const found = [];
    for (const { key, value } of this.collection.range({ start: `${this.#place}:`, end: `${this.#place};` }))
      if (!String(key).startsWith(`${this.#place}:${this.run}:`))
        found.push({ entry: String(key), upload: value });
    return found;
  }

  async #written(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw storeFault('write down which upload is under way', error);
    }
  }
}
