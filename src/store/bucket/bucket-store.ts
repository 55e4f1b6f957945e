import { CodedError } from '../../errors/coded-error';
import type { Notice } from '../../errors/notice';
import type { StateCollection } from '../../state/state-database';
import type {
  CopyToErase,
  Destination,
  KnownCopy,
  PartialCopy,
  Permit,
  SidecarWriter,
  TextWriter,
  WantedLock
} from '../destination';
import type { LockFacts } from '../kept-facts';
import { BucketCopy, type BucketTools } from './bucket-copy';
import { ofLock, ofVersions } from './bucket-kind';
import { bucketSidecar } from './bucket-sidecar';
import type { ResponseLimits } from './client/capped-responses';
import { BucketConnection } from './client/connection';
import type { S3Sdk } from './client/s3-sdk';
import type { BucketSettings } from './client/settings';
import { bucketKey, bucketLocation, keyOfLocation } from './object-key';
import { ObjectErasure } from './object-erasure';
import { ObjectLocks } from './object-lock';
import { ObjectPlacement } from './object-placement';
import { BucketObjects } from './objects';
import { bucketTexts } from './transcript-writer';
import { MultipartApi } from './upload/multipart-api';
import { PartMemory } from './upload/multipart-upload';
import { type NotedUpload, UploadLog } from './upload/upload-log';

/** Longer than any pause between two attempts: older parts are never resumed. */
const KEPT_MS = 30 * 60_000;
/** Between two checks of what others left that may still be alive. */
const SWEEP_MS = 60 * 60_000;
/** How long clearing up may hold up a deploy. What is not dropped by then is dropped at the next start. */
const CLOSING_MS = 5000;

export interface BucketStoreOptions {
  settings: BucketSettings;
  /** The log of uploads under way. */
  uploadLog: StateCollection<NotedUpload>;
  /** Distinguishes the uploads of this process from earlier ones in the log. */
  run?: string;
  /** Identifies this process, and its machine, among all that ever used the log. */
  owner?: string;
  /** Whether the process of that name has certainly ended. */
  isDead?: (owner: string) => boolean;
  /** Milliseconds after which an upload without a name or parts counts as abandoned. */
  emptyMs?: number;
  /** Default: the AWS SDK, loaded when it is first needed. */
  loadSdk?: () => Promise<S3Sdk>;
  /** Milliseconds for which the parts of a broken transfer are kept. */
  keptMs?: number;
  /** Milliseconds that closing may take. */
  closingMs?: number;
  /**
   * Called with what the user should know about the bucket: its features once, at its first use. Must not
   * throw.
   */
  onNotice?: (said: readonly Notice[], level: 'info' | 'warning') => void;
  /** Default: what S3 stores need. */
  limits?: ResponseLimits;
}

export interface BucketStore extends Destination {
  readonly kind: 'bucket';
  readonly objects: BucketObjects;
  readonly settings: BucketSettings;
  /**
   * Drops the uploads that earlier processes with this state left incomplete; those that may still be alive
   * are checked again every hour. Uploads of other instances are left alone, even those to the same keys.
   *
   * @returns how many were dropped
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
  readonly kind = 'bucket';
  readonly place: string;
  readonly capabilities = { canReadBack: true, canSetAside: false, canPublishAside: false };
  readonly sidecars: SidecarWriter;
  readonly transcripts: TextWriter;
  readonly objects: BucketObjects;
  readonly settings: BucketSettings;
  readonly #connection: BucketConnection;
  readonly #tools: BucketTools;
  readonly #locks: ObjectLocks;
  readonly #keptMs: number;
  readonly #closingMs: number;
  /** Copies between two attempts, by job. */
  readonly #kept = new Map<string, Kept>();
  readonly #open = new Set<string>();
  #allEnded: (() => void) | undefined;
  #sweep: NodeJS.Timeout | undefined;
  readonly #emptyMs: number;
  readonly #onNotice: BucketStoreOptions['onNotice'];
  #isIntroduced = false;

  constructor(options: BucketStoreOptions) {
    const {
      settings,
      uploadLog: uploadLog,
      run,
      owner,
      isDead,
      loadSdk,
      keptMs,
      closingMs,
      emptyMs,
      limits
    } = options;
    this.settings = settings;
    this.#emptyMs = emptyMs ?? SWEEP_MS;
    this.#keptMs = keptMs ?? KEPT_MS;
    this.#closingMs = closingMs ?? CLOSING_MS;
    const { onNotice } = options;
    this.#onNotice = onNotice;
    this.#connection = new BucketConnection(settings, {
      load: loadSdk,
      limits,
      onNotice: (notice) => onNotice?.([{ notice }], 'warning')
    });
    this.objects = new BucketObjects(this.#connection);
    this.#locks = new ObjectLocks(this.#connection);
    this.place = `s3://${settings.bucket}/${settings.prefix} at ${settings.endpoint ?? 'AWS'}`;
    this.sidecars = bucketSidecar(this);
    this.transcripts = bucketTexts(this.objects, (location) => keyOfLocation(settings, location));
    this.#tools = {
      settings,
      objects: this.objects,
      uploads: new MultipartApi(this.#connection, this.objects),
      places: new ObjectPlacement(this.objects, settings),
      uploadLog: new UploadLog({ collection: uploadLog, settings, run, owner, isDead }),
      memory: new PartMemory(),
      isClosing: () => this.#connection.isClosing
    };
  }

  openPart(jobId: string): Promise<PartialCopy> {
    if (this.#connection.isClosing)
      return Promise.reject(new CodedError('STORE_FAILED', 'The node was stopped.', { retryable: true }));
    this.#open.add(jobId);
    this.#introduce();
    const kept = this.#kept.get(jobId);
    this.#kept.delete(jobId);
    clearTimeout(kept?.timer);
    return Promise.resolve(kept?.copy ?? this.#newCopy(jobId));
  }

  locationOf(name: string): string {
    const { bucket, prefix } = this.settings;
    return bucketLocation(bucket, bucketKey(prefix, name));
  }

  async readBack(location: string, copy?: KnownCopy): Promise<{ sha256: string; size: number }> {
    const { sha256, size } = await this.#tools.places.readLocation(location, copy);
    return { sha256, size };
  }

  async lock(location: string, { versionId }: KnownCopy, wanted: WantedLock): Promise<LockFacts> {
    return await this.#locks.lock(keyOfLocation(this.settings, location), versionId, wanted);
  }

  async erase(copy: CopyToErase, permit: Permit): Promise<number> {
    const { places } = this.#tools;
    const parts = { connection: this.#connection, objects: this.objects, locks: this.#locks };
    return await new ObjectErasure({ ...parts, places, sidecars: this.sidecars }).erase(copy, permit);
  }

  /** A damaged copy keeps its key, and the fresh one gets another. */
  setAside(): Promise<null> {
    return Promise.resolve(null);
  }

  /** The first recording reports what is wrong with the bucket. */
  check(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Uploads are in the log of this instance, and nothing waits for the bucket. What stays is dropped later.
   */
  sweep(): Promise<number> {
    if (!this.#connection.isClosing) void this.dropLeftOvers().catch(() => undefined);
    return Promise.resolve(0);
  }

  async dropLeftOvers(): Promise<number> {
    const { uploadLog: uploadLog, uploads } = this.#tools;
    const found = uploadLog.leftOvers();
    let dropped = 0;
    for (const { entry, upload, abandoned } of found) {
      if (!abandoned) continue;
      const { old, young } =
        upload.uploadId === null
          ? await uploads.emptyTo(upload.key, this.#emptyMs)
          : { old: [upload.uploadId], young: 0 };
      for (const id of old) await uploads.abort(upload.key, id);
      if (young > 0) continue;
      await uploadLog.close(entry);
      dropped += 1;
    }
    if (dropped < found.length && !this.#connection.isClosing) this.#sweepLater();
    return dropped;
  }

  #sweepLater(): void {
    clearTimeout(this.#sweep);
    // What cannot be dropped now is dropped later.
    this.#sweep = setTimeout(() => void this.dropLeftOvers().catch(() => this.#sweepLater()), SWEEP_MS);
    this.#sweep.unref();
  }

  async close(): Promise<void> {
    this.#connection.close();
    clearTimeout(this.#sweep);
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

  /** Reports the features of the bucket. This takes two requests, which nothing waits for. */
  #introduce(): void {
    const say = this.#onNotice;
    if (this.#isIntroduced || say === undefined) return;
    this.#isIntroduced = true;
    this.objects.kind.get().then(
      (kind) => {
        const { bucket } = this.settings;
        const said: Notice[] = [
          { notice: 'bucket-in-use', values: { bucket } },
          ofVersions(kind),
          ofLock(kind)
        ];
        if (!this.#connection.sendsConditions) said.push({ notice: 'no-conditions' });
        say(said, 'info');
      },
      // The current recording reports the fault; the next one reports the features.
      () => void (this.#isIntroduced = false)
    );
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
