import { createHash, randomUUID } from 'node:crypto';
import type { StateCollection } from '../../../state/state-database';
import type { BucketSettings } from '../client/settings';
import { storeFault } from '../../store-fault';

/** A multipart upload, persisted until it is completed or dropped. */
export interface NotedUpload {
  key: string;
  /** Null: the process died before the store named the upload. */
  uploadId: string | null;
  /** The process that began it; left out by older versions. */
  owner?: string;
  /** When, in milliseconds since 1970. */
  at?: number;
}

export interface UploadLogOptions {
  collection: StateCollection<NotedUpload>;
  settings: Pick<BucketSettings, 'endpoint' | 'region' | 'bucket'>;
  /** Identifies this process among all that ever used the state; if absent, only `run` distinguishes them. */
  owner?: string | undefined;
  /** Whether the process of that name has certainly ended. */
  isDead?: ((owner: string) => boolean) | undefined;
  /** Distinguishes the uploads of this process from those of earlier ones. */
  run?: string | undefined;
  /** Milliseconds since 1970. */
  now?: (() => number) | undefined;
}

const RUN = randomUUID();

/**
 * No live process leaves an upload alone for this long. After it, an upload counts as abandoned even if its
 * process cannot be proved dead: one of a container, of a machine that was restarted, or of another machine
 * with a copy of the state.
 */
const ABANDONED_MS = 24 * 60 * 60_000;

/**
 * The incomplete uploads to a bucket, on disk: a killed process would otherwise leave invisible parts that cost
 * money. Only uploads in this log are ever dropped: another instance may have uploads to the same keys.
 */
export class UploadLog {
  readonly #options: UploadLogOptions;
  readonly #place: string;
  readonly #run: string;
  readonly #now: () => number;

  constructor(options: UploadLogOptions) {
    this.#options = options;
    const { endpoint, region, bucket } = options.settings;
    const place = JSON.stringify([endpoint, region, bucket]);
    this.#place = createHash('sha256').update(place).digest('hex').slice(0, 24);
    this.#run = options.run ?? RUN;
    this.#now = options.now ?? Date.now;
  }

  /** Notes that an upload to a key is about to begin. @returns the entry's name. @throws CodedError */
  async open(key: string): Promise<string> {
    const entry = `${this.#place}:${this.#run}:${randomUUID()}`;
    await this.name(entry, { key, uploadId: null });
    return entry;
  }

  /** Adds the id that the store gave. @throws CodedError */
  async name(entry: string, upload: Pick<NotedUpload, 'key' | 'uploadId'>): Promise<void> {
    const { collection, owner } = this.#options;
    const noted = { ...upload, at: this.#now(), ...(owner === undefined ? {} : { owner }) };
    await this.#written(() => collection.put(entry, noted));
  }

  /** Forgets an upload that is completed or dropped. @throws CodedError */
  async close(entry: string): Promise<void> {
    await this.#written(() => this.#options.collection.remove(entry));
  }

  /** What other processes left in this bucket: `abandoned` for certain, and others that may still be alive. */
  leftOvers(): { entry: string; upload: NotedUpload; abandoned: boolean }[] {
    const found = [];
    const span = { start: `${this.#place}:`, end: `${this.#place};` };
    for (const { key, value } of this.#options.collection.range(span)) {
      const entry = String(key);
      if (!entry.startsWith(`${this.#place}:${this.#run}:`))
        found.push({ entry, upload: value, abandoned: this.#isAbandoned(value) });
    }
    return found;
  }

  #isAbandoned({ owner, at }: NotedUpload): boolean {
    if (owner === undefined || this.#options.isDead?.(owner) === true) return true;
    // In both directions: a clock may have been wrong then, or be wrong now.
    return at === undefined || Math.abs(this.#now() - at) > ABANDONED_MS;
  }

  async #written(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw storeFault('note which upload is under way', error);
    }
  }
}
