import { createHash, randomUUID } from 'node:crypto';
import type { CodedError } from '../../errors/coded-error';
import type { Notice, Said } from '../../errors/notice';
import { BucketConnection, type ConnectionOptions } from './client/connection';
import { isRejection } from './client/fault';
import { ofLock, ofVersions, readBucketKind, type BucketKind } from './bucket-kind';
import type { Finding } from './finding';
import { BucketObjects, saysTaken } from './objects';
import { ObjectPlacement } from './object-placement';
import type { SentBytes } from './client/bucket-request';
import type { BucketSettings } from './client/settings';
import { MultipartApi } from './upload/multipart-api';
import { versionOf } from './object-versions';

/** A person waits for it. */
const WHOLE_MS = 60_000;
const PAGE = 20;

/**
 * Tries everything that storing recordings needs, with a test object below the prefix that is deleted
 * afterwards. Touches nothing else in the bucket. Never throws.
 */
export async function checkBucket(
  settings: BucketSettings,
  options: Pick<ConnectionOptions, 'load' | 'limits'> = {}
): Promise<Finding[]> {
  const connection = new BucketConnection(settings, options);
  const timer = setTimeout(() => connection.close(), WHOLE_MS);
  try {
    return await new BucketCheck(connection).run();
  } finally {
    clearTimeout(timer);
    await connection.end();
  }
}

class BucketCheck {
  readonly #connection: BucketConnection;
  readonly #findings: Finding[] = [];
  readonly #objects: BucketObjects;
  readonly #key: string;
  readonly #body: SentBytes;
  /** Versions that the test wrote. */
  readonly #written: (string | null)[] = [];

  constructor(connection: BucketConnection) {
    this.#connection = connection;
    this.#objects = new BucketObjects(connection);
    const { prefix } = connection.settings;
    this.#key = `${prefix}telnyx-test-${randomUUID()}.txt`;
    const bytes = Buffer.from('A test of the telnyx-bucket node. It can be deleted.\n');
    this.#body = { bytes, sha256: createHash('sha256').update(bytes).digest() };
  }

  async run(): Promise<Finding[]> {
    if (!(await this.#list())) return this.#findings;
    const kind = await this.#kind();
    if (kind === null) return this.#findings;
    if (kind.retention !== null) {
      this.#add('write', 'warning', { notice: 'locked-not-tried' });
      return this.#findings;
    }
    if (await this.#write()) {
      await this.#condition(kind);
      await this.#read();
      await this.#parts();
      await this.#delete();
    }
    return this.#findings;
  }

  async #list(): Promise<boolean> {
    const { bucket, prefix } = this.#connection.settings;
    try {
      await this.#connection.send(({ sdk, client, abortSignal }) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }), {
          abortSignal
        })
      );
      this.#add('reach', 'ok', { notice: 'bucket-there', values: { bucket } });
      this.#add('list', 'ok', { notice: 'may-list' });
      return true;
    } catch (error) {
      if (!isRejection(error)) {
        this.#fail('reach', this.#connection.fault('reach objects', error));
        return false;
      }
      this.#add('reach', 'ok', { notice: 'store-answers', values: { bucket } });
      this.#add('list', 'warning', { notice: 'may-not-list' });
      return true;
    }
  }

  async #kind(): Promise<BucketKind | null> {
    try {
      const kind = await readBucketKind(this.#connection);
      this.#add('versions', kind.versioning === 'unknown' ? 'warning' : 'ok', ofVersions(kind));
      this.#add('lock', kind.lock === 'unknown' || kind.retention ? 'warning' : 'ok', ofLock(kind));
      return kind;
    } catch (error) {
      this.#fail('reach', this.#connection.fault('ask what the bucket is', error));
      return null;
    }
  }

  async #write(): Promise<boolean> {
    try {
      const written = await this.#objects.put(this.#key, this.#body, { contentType: 'text/plain' });
      if (!written.ok) {
        this.#add('write', 'failed', { notice: 'name-taken' });
        return false;
      }
      this.#written.push(written.versionId);
      this.#add('write', 'ok', { notice: 'may-write' });
      return true;
    } catch (error) {
      this.#fail('write', error as CodedError, 's3:PutObject');
      return false;
    }
  }

  /** Writes the test object again on the condition that its key is free, which it is not. */
  async #condition({ versioning }: BucketKind): Promise<void> {
    const isVersioned = versioning === 'on' || this.#connection.isVersioned;
    const instead: Notice = { notice: isVersioned ? 'versions-instead' : 'one-writer-instead' };
    try {
      const isHonoured = await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        if (!this.#connection.sendsConditions) return false;
        const command = new sdk.PutObjectCommand({
          ...this.#connection.at(this.#key),
          IfNoneMatch: '*',
          Body: this.#body.bytes,
          ContentLength: this.#body.bytes.length,
          ContentType: 'text/plain'
        });
        const { VersionId } = await client.send(command, { abortSignal });
        this.#written.push(versionOf(VersionId));
        return false;
      });
      if (!isHonoured) this.#add('condition', 'warning', { notice: 'conditions-ignored' }, instead);
    } catch (error) {
      if (saysTaken(error)) this.#add('condition', 'ok', { notice: 'conditions-honoured' });
      else this.#add('condition', 'warning', { notice: 'conditions-unknown' }, instead);
    }
    if (isVersioned) await this.#versions();
  }

  async #versions(): Promise<void> {
    const [first = null] = this.#written;
    if (first === null) return;
    const under = await this.#objects.versions.under(this.#key, first).catch(() => undefined);
    if (under === undefined) this.#add('versions', 'warning', { notice: 'may-not-list-versions' });
  }

  async #read(): Promise<void> {
    const { settings } = this.#connection;
    const size = this.#body.bytes.length;
    try {
      const versionId = this.#written[0] ?? null;
      const read = await new ObjectPlacement(this.#objects, settings).read(this.#key, { size, versionId });
      if (read.sha256 === this.#body.sha256.toString('hex')) this.#add('read', 'ok', { notice: 'read-back' });
      else this.#add('read', 'failed', { notice: 'read-differs' });
    } catch (error) {
      const right = this.#written[0] ? 's3:GetObjectVersion' : 's3:GetObject';
      this.#fail('read', error as CodedError, right);
    }
  }

  async #parts(): Promise<void> {
    const uploads = new MultipartApi(this.#connection, this.#objects);
    const created = await uploads.create(this.#key, 'text/plain');
    if (!created.ok) {
      this.#fail('parts', created.fault, 's3:PutObject');
      return;
    }
    const lacking = [
      await missing('s3:ListBucketMultipartUploads', () => uploads.listTo(this.#key)),
      // Of all uploads to this key, however young.
      await missing('s3:ListMultipartUploadParts', () => uploads.emptyTo(this.#key, -Infinity)),
      await missing('s3:AbortMultipartUpload', () => uploads.abort(this.#key, created.uploadId))
    ].filter((why) => why !== null);
    if (lacking.length === 0) this.#add('parts', 'ok', { notice: 'parts-work' });
    else this.#add('parts', 'warning', ...lacking, { notice: 'parts-stay' });
  }

  async #delete(): Promise<void> {
    const { versions } = this.#objects;
    const isVersioned = this.#written.some((id) => id !== null);
    try {
      for (const id of await this.#ownVersions()) await versions.remove(this.#key, id);
      this.#add('delete', 'ok', { notice: 'test-deleted' });
    } catch (error) {
      const right = isVersioned ? 's3:DeleteObjectVersion' : 's3:DeleteObject';
      const stays: Notice = { notice: 'test-stays', values: { object: this.#key } };
      this.#add('delete', 'warning', whyNot(error, right), stays);
    }
  }

  /** Includes those that the SDK's retries made, and delete markers. */
  async #ownVersions(): Promise<Iterable<string | null>> {
    const known = new Set(this.#written);
    if (![...known].some((id) => id !== null)) return [null];
    try {
      await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new sdk.ListObjectVersionsCommand({
            Bucket: this.#connection.settings.bucket,
            Prefix: this.#key,
            MaxKeys: PAGE
          }),
          { abortSignal }
        );
        for (const { Key, VersionId } of [...Versions, ...DeleteMarkers])
          if (Key === this.#key && VersionId !== undefined) known.add(VersionId);
      });
    } catch {
      // Deletes the known versions, and reports that others cannot be seen.
    }
    return known;
  }

  #add(check: Finding['check'], result: Finding['result'], ...said: Said[]): void {
    this.#findings.push({ check, result, said });
  }

  #fail(check: Finding['check'], error: CodedError, right?: string): void {
    this.#add(check, 'failed', whyNot(error, right));
  }
}

/** @returns which permission is missing for what was tried, or what else failed; null when it worked */
async function missing(right: string, attempt: () => Promise<unknown>): Promise<Said | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    return whyNot(error, right);
  }
}

/** @param error a `CodedError` @param right without which the store rejects what was tried */
function whyNot(error: unknown, right?: string): Said {
  if (right !== undefined && isRejection(error)) return { notice: 'lacks-right', values: { right } };
  const { code, message } = error as CodedError;
  return { code, text: message };
}
