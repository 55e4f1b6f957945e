import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { StateDatabase, type StateCollection } from '../../../../src/state/state-database';
import type { NotedUpload } from '../../../../src/store/bucket/upload/upload-log';
import type { BucketSettings } from '../../../../src/store/bucket/client/settings';
import {
  createBucketStore,
  type BucketStore,
  type BucketStoreOptions
} from '../../../../src/store/bucket/bucket-store';
import type { PartialCopy, PublishedFile } from '../../../../src/store/destination';
import { S3_USER } from '../../../support/ceph';
import { S3Server } from '../../../support/s3-server';

export const MIB = 1024 * 1024;

/** A bucket on a real server, an upload log on a real disk, and the stores of the test; removed after it. */
export class TestBucket {
  readonly #stores: BucketStore[] = [];

  private constructor(
    readonly server: S3Server,
    private readonly directory: string,
    private readonly database: StateDatabase
  ) {}

  static async create(context: Mocha.Context, given?: S3Server): Promise<TestBucket> {
    const server = given ?? (await S3Server.start(context));
    const directory = await mkdtemp(join(tmpdir(), 'telnyx-bucket-'));
    const bucket = new TestBucket(server, directory, new StateDatabase(directory));
    created.push(bucket);
    return bucket;
  }

  get uploadLog(): StateCollection<NotedUpload> {
    return this.database.collection<NotedUpload>('bucket-uploads');
  }

  /** As in another instance, with its own state. */
  get otherLedger(): StateCollection<NotedUpload> {
    return this.database.collection<NotedUpload>('bucket-uploads-of-another');
  }

  settings(over: Partial<BucketSettings> = {}): BucketSettings {
    return {
      endpoint: this.server.url,
      region: 'us-east-1',
      bucket: this.server.bucket,
      prefix: 'calls/',
      forcePathStyle: true,
      sse: '',
      kmsKeyId: null,
      credentials: S3_USER,
      ...over
    };
  }

  store(over: Partial<BucketSettings> = {}, options: Partial<BucketStoreOptions> = {}): BucketStore {
    const store = createBucketStore({
      settings: this.settings(over),
      uploadLog: this.uploadLog,
      closingMs: 100,
      ...options
    });
    this.#stores.push(store);
    return store;
  }

  /** From now on every write makes a version. The unmodified server then ignores `If-None-Match`. */
  async keepVersions(status: 'Enabled' | 'Suspended' = 'Enabled'): Promise<void> {
    this.server.addsToday = false;
    await this.server.direct.send(
      new PutBucketVersioningCommand({
        Bucket: this.server.bucket,
        VersioningConfiguration: { Status: status }
      })
    );
  }

  /** All versions of a key, newest first. */
  async versions(key: string): Promise<{ id: string; size: number }[]> {
    const { Versions = [] } = await this.server.direct.send(
      new ListObjectVersionsCommand({ Bucket: this.server.bucket, Prefix: key })
    );
    return Versions.filter(({ Key }) => Key === key).map(({ VersionId = '', Size = 0 }) => ({
      id: VersionId,
      size: Size
    }));
  }

  /** Works even if the test was skipped before the bucket existed. */
  static async removeAll(): Promise<void> {
    for (const bucket of created.splice(0)) await bucket.#remove();
  }

  async #remove(): Promise<void> {
    this.server.fault = () => undefined;
    for (const store of this.#stores) await store.close();
    await this.server.close();
    await this.database.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const created: TestBucket[] = [];

/** Bytes that depend on the seed and do not repeat. */
export function noise(size: number, seed = 1): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

/** Writes in chunks like those of a network. */
export async function writeAll(part: PartialCopy, bytes: Buffer): Promise<void> {
  const piece = 64 * 1024;
  for (let at = 0; at < bytes.length; at += piece) await part.write(bytes.subarray(at, at + piece));
}

export async function publish(part: PartialCopy, name: string, bytes: Buffer): Promise<PublishedFile> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return await part.publish({ name, sha256, size: bytes.length, contentType: 'audio/wav' });
}

/** Stores a file like the archive. @param size as announced; null: not announced */
export async function storeBytes(
  store: BucketStore,
  name: string,
  bytes: Buffer,
  { jobId = 'job1', size = bytes.length }: { jobId?: string; size?: number | null } = {}
): Promise<PublishedFile> {
  const part = await store.openPart(jobId);
  try {
    await part.begin?.({ name, contentType: 'audio/wav', size });
    await writeAll(part, bytes);
    return await publish(part, name, bytes);
  } catch (error) {
    await part.suspend();
    throw error;
  }
}
