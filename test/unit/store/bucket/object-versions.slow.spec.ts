import { createHash } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand
} from '@aws-sdk/client-s3';
import should from 'should';
import { bucketTexts } from '../../../../src/store/bucket/transcript-writer';
import { keyOfLocation } from '../../../../src/store/bucket/object-key';
import { BucketSidecars } from '../../../../src/store/bucket/bucket-sidecar';
import type { BucketStore } from '../../../../src/store/bucket/bucket-store';
import { S3Server } from '../../../support/s3-server';
import { inEnglish } from '../../../support/in-english';
import { until } from '../../../support/until';
import { MIB, noise, storeBytes, TestBucket } from './bucket-fixture';

const RECORD = { sha256: 'a'.repeat(64), recording_id: 'rec-1' };

/** The test server ignores `If-None-Match: *` and rejects every `If-Match` once a bucket is versioned. */
describe('bucket store, in a versioned bucket', function () {
  let bucket: TestBucket;
  let store: BucketStore;
  const notices: string[] = [];

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
    await bucket.keepVersions();
    notices.length = 0;
    store = bucket.store({}, { onNotice: (said) => notices.push(inEnglish(said)) });
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const put = (key: string, bytes: Buffer): Promise<unknown> =>
    bucket.server.direct.send(new PutObjectCommand({ Bucket: bucket.server.bucket, Key: key, Body: bytes }));
  /** Writes something once, immediately before a request runs. */
  const raceBefore = (request: string, key: string, bytes: Buffer): void => {
    let done = false;
    bucket.server.pause = async (call) => {
      if (done || call.name !== request || call.key !== key) return;
      done = true;
      await put(key, bytes);
    };
  };

  for (const size of [1000, 11 * MIB]) {
    const what = size === 1000 ? 'small' : 'large';

    it(`returns the version of a ${what} file, and reads that one even when a newer version exists`, async () => {
      const bytes = noise(size);
      const stored = await storeBytes(store, 'a.wav', bytes);
      const [own] = await bucket.versions('calls/a.wav');
      should(stored.versionId).equal(own!.id);
      await put('calls/a.wav', noise(500, 9));
      const copy = { size, versionId: stored.versionId ?? null };
      should(await store.readBack(stored.location!, copy)).eql({ sha256: sha256(bytes), size });
    });

    it(`stores a ${what} file under a different key, and hides no other file`, async () => {
      await put('calls/a.wav', noise(size, 7));
      const attempt = (): ReturnType<typeof storeBytes> => storeBytes(store, 'a.wav', noise(size));
      // The bytes of a large file are gone by the time the other one turns out to differ.
      const { location } = await attempt().catch(attempt);
      should(location).endWith('/calls/a_2.wav');
      should(await bucket.versions('calls/a.wav')).have.length(1);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(noise(size, 7)));
    });

    it(`does not store the same ${what} file twice`, async () => {
      const first = await storeBytes(store, 'a.wav', noise(size));
      const second = await storeBytes(bucket.store(), 'a.wav', noise(size));
      should(second).have.properties({ alreadyStored: true, versionId: first.versionId });
      should(await bucket.versions('calls/a.wav')).have.length(1);
    });

    it(`removes its ${what} file when another one was a moment earlier`, async () => {
      raceBefore(size === 1000 ? 'PutObject' : 'CompleteMultipartUpload', 'calls/a.wav', noise(300, 5));
      const attempt = (): ReturnType<typeof storeBytes> => storeBytes(store, 'a.wav', noise(size));
      const { location, versionId } = await attempt().catch(attempt);
      should(location).endWith('/calls/a_2.wav');
      should(versionId).be.a.String();
      should(await bucket.versions('calls/a.wav')).have.length(1);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(noise(300, 5)));
      should(await bucket.server.incompleteUploads()).eql([]);
    });

    it(`recognises its own ${what} file when another instance stored it a moment earlier`, async () => {
      raceBefore(size === 1000 ? 'PutObject' : 'CompleteMultipartUpload', 'calls/a.wav', noise(size));
      const stored = await storeBytes(store, 'a.wav', noise(size));
      should(stored).have.property('alreadyStored', true);
      const versions = await bucket.versions('calls/a.wav');
      should(versions.map(({ id }) => id)).eql([stored.versionId]);
    });

    it(`keeps the ${what} file that was first, when a newer version appears`, async () => {
      let done = false;
      bucket.server.pause = async ({ name }) => {
        if (done || name !== 'ListObjectVersions') return;
        done = true;
        await put('calls/a.wav', noise(300, 5));
      };
      const stored = await storeBytes(store, 'a.wav', noise(size));
      should(stored).have.property('alreadyStored', false);
      should((await bucket.versions('calls/a.wav'))[1]!.id).equal(stored.versionId);
    });

    it(`removes a damaged ${what} file with its version`, async () => {
      let isDamaged = false;
      bucket.server.fault = ({ name, headers, query }) => {
        const looks = name === 'GetObject' && headers.range !== undefined && query.has('versionId');
        isDamaged ||= looks;
        // As if the store had lost it.
        return looks ? { answer: 404, code: 'NoSuchKey' } : undefined;
      };
      await should(storeBytes(store, 'a.wav', noise(size))).be.rejectedWith({
        message: /not what was sent. It was deleted/,
        retryable: true
      });
      should(isDamaged).equal(true);
      should(await bucket.versions('calls/a.wav')).eql([]);
    });
  }

  it('reuses a deleted key that has old versions', async () => {
    await put('calls/a.wav', noise(300, 5));
    await bucket.server.direct.send(
      new DeleteObjectCommand({ Bucket: bucket.server.bucket, Key: 'calls/a.wav' })
    );
    const stored = await storeBytes(store, 'a.wav', noise(1000));
    should(stored.location).endWith('/calls/a.wav');
    should(await bucket.versions('calls/a.wav')).have.length(2);
  });

  it('reports when it could not remove the later file', async () => {
    bucket.server.fault = ({ name }) =>
      name === 'DeleteObject' ? { answer: 403, code: 'AccessDenied' } : undefined;
    raceBefore('PutObject', 'calls/a.wav', noise(300, 5));
    const { location } = await storeBytes(store, 'a.wav', noise(1000));
    should(location).endWith('/calls/a_2.wav');
    should(notices.join('\n')).match(/s3:DeleteObjectVersion/);
  });

  it('stores with a key that may not list versions, and reports what it cannot check', async () => {
    bucket.server.fault = ({ name }) =>
      name === 'ListObjectVersions' ? { answer: 403, code: 'AccessDenied' } : undefined;
    const { versionId } = await storeBytes(store, 'a.wav', noise(1000));
    should(versionId).be.a.String();
    should(notices.join('\n')).match(/s3:ListBucketVersions/);
  });

  it('reads only the current version with a key that may not read versions', async () => {
    const stored = await storeBytes(store, 'a.wav', noise(1000));
    const copy = { size: 1000, versionId: stored.versionId ?? null };
    bucket.server.fault = ({ query }) =>
      query.has('versionId') ? { answer: 403, code: 'AccessDenied' } : undefined;
    should((await store.readBack(stored.location!, copy)).sha256).equal(sha256(noise(1000)));
    await put('calls/a.wav', noise(1000));
    await should(store.readBack(stored.location!, copy)).be.rejectedWith({ message: /s3:GetObjectVersion/ });
  });

  it('stores nothing, not even at first, with a key that may not check whether a name is free', async () => {
    await put('calls/a.wav', noise(1000, 7));
    bucket.server.fault = ({ name }) =>
      name === 'GetObject' ? { answer: 403, code: 'AccessDenied' } : undefined;
    await should(storeBytes(store, 'a.wav', noise(1000))).be.rejectedWith({
      message: /could hide another recording under this one/,
      retryable: true
    });
    should(await bucket.versions('calls/a.wav')).have.length(1);
  });

  it('stores nothing more with a key that may check neither names nor versioning', async () => {
    bucket.server.fault = ({ name }) =>
      name === 'GetObject' || name === 'GetBucketVersioning'
        ? { answer: 403, code: 'AccessDenied' }
        : undefined;
    // The first response shows that the bucket is versioned.
    await storeBytes(store, 'a.wav', noise(1000));
    await should(storeBytes(store, 'b.wav', noise(1000))).be.rejectedWith({
      message: /could hide another recording under this one. Permit s3:GetObject and s3:ListBucket/
    });
  });

  it('reports the features of the bucket once', async () => {
    for (const name of ['a.wav', 'b.wav']) await storeBytes(store, name, noise(10));
    await until('the notice', () => notices[0]);
    should(notices).have.length(1);
    should(notices[0]).containEql('It keeps versions').and.containEql('no object lock');
  });

  describe('sidecars and texts', () => {
    let location: string;
    let sidecars: BucketSidecars;
    beforeEach(() => {
      sidecars = new BucketSidecars(store);
      location = `s3://${bucket.server.bucket}/calls/a.wav`;
    });

    it('are updated as a new version of the one that was read', async () => {
      await sidecars.write(location, RECORD);
      await sidecars.write(location, { ...RECORD, deleted_at_source: '2026-03-05T00:00:00.000Z' });
      const found = await sidecars.read(location);
      should(found).have.propertyByPath('record', 'deleted_at_source').equal('2026-03-05T00:00:00.000Z');
      should(await bucket.versions('calls/a.wav.json')).have.length(2);
    });

    it('even when the first one is older than versioning', async () => {
      await bucket.keepVersions('Suspended');
      await sidecars.write(location, RECORD);
      await bucket.keepVersions();
      await storeBytes(store, 'other.wav', noise(10));
      await sidecars.write(location, { ...RECORD, note: 'x' });
      should(await sidecars.read(location))
        .have.propertyByPath('record', 'note')
        .equal('x');
    });

    it('hide no foreign objects', async () => {
      await put('calls/a.wav.json', Buffer.from('{"sha256":"another"}'));
      await should(sidecars.write(location, RECORD)).be.rejectedWith({ message: /left alone/ });
      should(await bucket.versions('calls/a.wav.json')).have.length(1);
    });

    it('hide nothing that appears at the same time', async () => {
      raceBefore('PutObject', 'calls/a.wav.json', Buffer.from('{"by":"somebody"}'));
      await should(sidecars.write(location, RECORD)).be.rejectedWith({ code: 'STORE_FAILED' });
      should(JSON.parse((await bucket.server.bytes('calls/a.wav.json')).toString())).eql({ by: 'somebody' });
    });

    it('hide no concurrent change', async () => {
      await sidecars.write(location, RECORD);
      let puts = 0;
      bucket.server.pause = async ({ name, key, headers }) => {
        if (name !== 'PutObject' || key !== 'calls/a.wav.json' || headers['if-match'] !== undefined) return;
        if (++puts === 1) await put(key, Buffer.from('{"by":"somebody"}'));
      };
      await should(sidecars.write(location, { ...RECORD, note: 'x' })).be.rejectedWith({
        code: 'STORE_FAILED',
        retryable: true
      });
      should(JSON.parse((await bucket.server.bytes('calls/a.wav.json')).toString())).eql({ by: 'somebody' });
    });

    it('of another recording make a text use another name', async () => {
      const texts = bucketTexts(store.objects, (at) => keyOfLocation(store.settings, at));
      const at = `s3://${bucket.server.bucket}/calls/a.txt`;
      raceBefore('PutObject', 'calls/a.txt', Buffer.from('notes'));
      should(await texts.create(at, 'Hello.')).equal('taken');
      should((await bucket.server.bytes('calls/a.txt')).toString()).equal('notes');
      const other = at.replace('a.txt', 'b.txt');
      should(await texts.create(other, 'Hello.')).equal('created');
      await texts.replace(other, 'Hello again.');
      should((await bucket.server.bytes('calls/b.txt')).toString()).equal('Hello again.');
    });
  });
});

describe('bucket store, in a bucket with object lock', () => {
  afterEach(async () => {
    await TestBucket.removeAll();
  });

  it('stores objects that the default retention locks, and reports it', async function () {
    const server = await S3Server.start(this, { locked: true });
    const bucket = await TestBucket.create(this, server);
    server.addsToday = false;
    await server.direct.send(
      new PutObjectLockConfigurationCommand({
        Bucket: server.bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } }
        }
      })
    );
    const notices: string[] = [];
    const store = bucket.store({}, { onNotice: (said) => notices.push(inEnglish(said)) });
    for (const size of [1000, 6 * MIB]) {
      const { versionId } = await storeBytes(store, `${size}.wav`, noise(size));
      const { ObjectLockMode } = await server.direct.send(
        new GetObjectCommand({ Bucket: server.bucket, Key: `calls/${size}.wav`, VersionId: versionId ?? '' })
      );
      should(ObjectLockMode).equal('GOVERNANCE');
    }
    await until('the notice', () => notices[0]);
    should(notices[0]).containEql('It keeps versions').and.containEql('locked for 1 days (GOVERNANCE)');
  });
});
