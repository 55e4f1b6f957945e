import { createHash } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { S3_USER, startCeph } from '../../test/support/ceph';
import type { StoredObject } from './check';

const READ_AT_ONCE = 16;

/** The bucket of a run, on the S3 server of the tests. */
export class Bucket {
  readonly name = 'scale';

  private constructor(
    readonly url: string,
    private readonly client: S3Client
  ) {}

  /** @throws Error when the programs of the server are not installed */
  static async start(): Promise<Bucket> {
    const url = await startCeph();
    const client = new S3Client({
      endpoint: url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: S3_USER,
      requestChecksumCalculation: 'WHEN_REQUIRED'
    });
    const bucket = new Bucket(url, client);
    await client.send(new CreateBucketCommand({ Bucket: bucket.name }));
    return bucket;
  }

  /** Reads objects back, of which the key is wanted. */
  async objects(isWanted: (key: string) => boolean): Promise<StoredObject[]> {
    const keys = (await this.#keys()).filter(isWanted);
    const found: StoredObject[] = [];
    const read = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop()) found.push(await this.#read(key));
    };
    await Promise.all(Array.from({ length: READ_AT_ONCE }, read));
    return found;
  }

  close(): void {
    this.client.destroy();
  }

  async #keys(): Promise<string[]> {
    const keys: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.client.send(
        new ListObjectsV2Command({ Bucket: this.name, ContinuationToken: after })
      );
      for (const { Key = '' } of page.Contents ?? []) keys.push(Key);
      after = page.NextContinuationToken;
    } while (after !== undefined);
    return keys;
  }

  async #read(key: string): Promise<StoredObject> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    return {
      key,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...(key.endsWith('.json') && { sidecar: readJson(bytes) })
    };
  }
}

function readJson(bytes: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(bytes.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
