import { CodedError } from '../errors/coded-error';
import { BucketConnection, type S3Sdk } from './bucket-connection';
import { BucketCopy, type BucketTools } from './bucket-copy';
import { UploadLedger, type NotedUpload } from './bucket-ledger';
import { BucketObjects } from './bucket-objects';
import { PartMemory } from './bucket-part';
import { BucketPlaces } from './bucket-place';
import type { BucketSettings } from './bucket-settings';
import { BucketUploads } from './bucket-uploads';
import type { PartialCopy, ReadBack, Store } from './store';
import type { StateCollection } from '../state/state-database';

/** Longer than any pause between two attempts: nobody goes on with parts that waited for longer. */
const KEPT_MS = 30 * 60_000;
/** How long clearing up may hold up a deploy. What is not dropped by then is dropped at the next start. */
const CLOSING_MS = 5000;

export interface BucketStoreOptions {
  settings: BucketSettings;
  /** Where uploads under way are written down. */
  ledger: StateCollection<NotedUpload>;
  /** Names this process in the ledger. */
  run?: string;
  /** Default: the AWS SDK, loaded when it is first needed. */
  loadSdk?: () => Promise<S3Sdk>;
  /** Milliseconds for which the parts of a broken transfer are kept. */
  keptMs?: number;
  /** Milliseconds that closing may take. */
  closingMs?: number;
}

export interface BucketStore extends Store, ReadBack {
  readonly destination: 'bucket';
  readonly objects: BucketObjects;
  readonly settings: BucketSettings;
  /**
   * Drops the uploads that earlier processes left incomplete.
   *
   * @returns how many there were
   * @throws CodedError `STORE_FAILED`
   */
  dropLeftOvers(): Promise<number>;
  /** Ends all uploads and drops what is incomplete. Never throws. */
  close(): Promise<void>;
}

/** A bucket of S3, or of a store that speaks its protocol, as the archive. */
export function createBucketStore(options: BucketStoreOptions): BucketStore {
  return new OpenBucket(options);
}

interface Kept {
  copy: BucketCopy;
  timer: NodeJS.Timeout;
}

class OpenBucket implements BucketStore {
  readonly destination = 'bucket';
  readonly objects: BucketObjects;
  readonly settings: BucketSettings;
  readonly #connection: BucketConnection;
  readonly #tools: BucketTools;
  readonly #keptMs: number;
  readonly #closingMs: number;
  /** Copies between two attempts, by job. */
  readonly #kept = new Map<string, Kept>();
  readonly #open = new Set<string>();
  #allEnded: (() => void) | undefined;

  constructor({ settings, ledger, run, loadSdk, keptMs, closingMs }: BucketStoreOptions) {
    this.settings = settings;
    this.#keptMs = keptMs ?? KEPT_MS;
    this.#closingMs = closingMs ?? CLOSING_MS;
    this.#connection = new BucketConnection(settings, loadSdk);
    this.objects = new BucketObjects(this.#connection);
    this.#tools = {
      settings,
      objects: this.objects,
      uploads: new BucketUploads(this.#connection, this.objects),
      places: new BucketPlaces(this.objects, settings),
      ledger: new UploadLedger(ledger, settings, run),
      memory: new PartMemory(),
      isClosing: () => this.#connection.isClosing
    };
  }

  openPart(jobId: string): Promise<PartialCopy> {
    if (this.#connection.isClosing)
      return Promise.reject(new CodedError('STORE_FAILED', 'The node was stopped.', { retryable: true }));
    this.#open.add(jobId);
    const kept = this.#kept.get(jobId);
    this.#kept.delete(jobId);
    clearTimeout(kept?.timer);
    return Promise.resolve(kept?.copy ?? this.#newCopy(jobId));
  }

  async readBack(location: string): Promise<{ sha256: string; size: number }> {
    return await this.#tools.places.readLocation(location);
  }

  async dropLeftOvers(): Promise<number> {
    const { ledger, uploads } = this.#tools;
    const found = ledger.leftOvers();
    for (const { entry, upload } of found) {
      const ids = upload.uploadId === null ? await uploads.listTo(upload.key) : [upload.uploadId];
      for (const id of ids) await uploads.abort(upload.key, id);
      await ledger.close(entry);
    }
    return found.length;
  }

  async close(): Promise<void> {
    this.#connection.close();
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    for (const { timer } of kept) clearTimeout(timer);
    const cleared = Promise.all([this.#everyCopyEnded(), ...kept.map(({ copy }) => copy.discard())]);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([cleared, new Promise((resolve) => (timer = setTimeout(resolve, this.#closingMs)))]);
    clearTimeout(timer);
    this.#tools.memory.clear();
    await this.#connection.end();
  }

  #newCopy(jobId: string): BucketCopy {
    const copy: BucketCopy = new BucketCopy(this.#tools, jobId, (keep) => {
      this.#open.delete(jobId);
      if (this.#open.size === 0) this.#allEnded?.();
      if (!keep) return;
      const timer = setTimeout(() => {
        this.#kept.delete(jobId);
        void copy.discard();
      }, this.#keptMs);
      timer.unref();
      this.#kept.set(jobId, { copy, timer });
    });
    return copy;
  }

  #everyCopyEnded(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#allEnded = resolve));
  }
}
