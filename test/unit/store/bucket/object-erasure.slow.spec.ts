import { createHash } from 'node:crypto';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { BucketStore } from '../../../../src/store/bucket/bucket-store';
import type { CopyToErase } from '../../../../src/store/destination';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { S3Server } from '../../../support/s3-server';
import { noise, storeBytes, TestBucket } from './bucket-fixture';

const BYTES = noise(1000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const codeOf = (error: unknown): string => (error as CodedError).code;
const permitted = (): Promise<void> => Promise.resolve();

describe('a recording in a bucket is deleted for good', () => {
  let bucket: TestBucket;
  let store: BucketStore;

  async function open(context: Mocha.Context, kind: 'plain' | 'versioned' | 'locked'): Promise<void> {
    bucket = await TestBucket.create(context, await S3Server.start(context, { locked: kind === 'locked' }));
    bucket.server.addsToday = false;
    if (kind === 'versioned') await bucket.keepVersions();
    store = bucket.store();
  }
  afterEach(() => TestBucket.removeAll());

  async function stored(name = 'a'): Promise<CopyToErase> {
    const { location, versionId = null } = await storeBytes(store, `${name}.wav`, BYTES);
    const text = store.locationOf(`${name}.txt`)!;
    await store.sidecars.write(location!, { sha256: SHA256, recording_id: name } as StoredRecording);
    await store.transcripts.create(text, 'Hello.');
    return { location: location!, sha256: SHA256, size: BYTES.length, versionId, text };
  }
  const put = (key: string, bytes: Buffer): Promise<unknown> =>
    bucket.server.direct.send(new PutObjectCommand({ Bucket: bucket.server.bucket, Key: key, Body: bytes }));
  const hide = (key: string): Promise<unknown> =>
    bucket.server.direct.send(new DeleteObjectCommand({ Bucket: bucket.server.bucket, Key: key }));
  /** Keys of all versions and markers. */
  const left = async (): Promise<string[]> => {
    const { Versions = [], DeleteMarkers = [] } = await bucket.server.direct.send(
      new ListObjectVersionsCommand({ Bucket: bucket.server.bucket })
    );
    return [...Versions, ...DeleteMarkers].map(({ Key = '' }) => Key).sort();
  };

  it('from one that keeps no versions', async function () {
    await open(this, 'plain');
    const copy = await stored();
    await stored('a.wav2');
    should(await store.erase(copy, permitted)).equal(3);
    should(await left()).eql(['calls/a.wav2.txt', 'calls/a.wav2.wav', 'calls/a.wav2.wav.json']);
    should(await store.erase(copy, permitted)).equal(0);
  });

  it('but not what somebody else has put in place of its sidecar', async function () {
    await open(this, 'plain');
    const copy = await stored();
    await put('calls/a.wav.json', Buffer.from('notes'));
    should(await store.erase(copy, permitted)).equal(2);
    should(await left()).eql(['calls/a.wav.json']);
  });

  it('from one whose store knows no versions at all', async function () {
    await open(this, 'plain');
    const copy = await stored();
    bucket.server.fault = ({ name }) =>
      ['ListObjectVersions', 'GetBucketVersioning', 'GetObjectLockConfiguration'].includes(name)
        ? { answer: 501, code: 'NotImplemented' }
        : undefined;
    should(await store.erase(copy, permitted)).equal(3);
    should(await left()).eql([]);
    should(await store.erase(copy, permitted)).equal(0);
  });

  describe('that keeps versions', () => {
    let copy: CopyToErase;
    beforeEach(async function () {
      await open(this, 'versioned');
      copy = await stored();
    });

    it('with every version and delete marker, of text, file and sidecar', async () => {
      await store.sidecars.write(copy.location, { sha256: SHA256, note: 'x' } as unknown as StoredRecording);
      await store.transcripts.replace(copy.text!, 'Hello again.');
      for (const key of ['calls/a.wav', 'calls/a.txt']) await hide(key);
      await put('calls/a.wav', BYTES);
      await hide('calls/a.wav');
      await stored('a.wav2');
      should(await store.erase(copy, permitted)).equal(9);
      should(await left()).eql(['calls/a.wav2.txt', 'calls/a.wav2.wav', 'calls/a.wav2.wav.json']);
      should(await store.erase(copy, permitted)).equal(0);
    });

    it('when more versions are there than a page lists', async () => {
      for (let count = 0; count < 60; count += 1) await put('calls/a.wav', Buffer.from([count]));
      should(await store.erase(copy, permitted)).equal(63);
      should(await left()).eql([]);
    });

    it('with the version that was stored, and no other when others have its place', async () => {
      await put('calls/a.wav', noise(500, 9));
      await put('calls/a.wav.json', Buffer.from(JSON.stringify({ sha256: 'b'.repeat(64) })));
      should(await store.erase({ ...copy, text: null }, permitted)).equal(1);
      should((await bucket.versions('calls/a.wav')).map(({ size }) => size)).eql([500]);
      should((await bucket.versions('calls/a.wav.json')).length).equal(2);
      should(await store.erase({ ...copy, text: null }, permitted).catch(codeOf)).equal('STORE_FAILED');
      should((await bucket.versions('calls/a.wav')).map(({ size }) => size)).eql([500]);
    });

    it('in several goes', async () => {
      let calls = 0;
      bucket.server.fault = ({ name }) =>
        name === 'DeleteObject' && ++calls % 2 === 0 ? { answer: 403, code: 'SlowDownPlease' } : undefined;
      let removed: number | string = 'STORE_FAILED';
      for (let go = 0; go < 5 && removed === 'STORE_FAILED'; go += 1)
        removed = await store.erase(copy, permitted).catch(codeOf);
      should(removed).be.a.Number();
      should(await left()).eql([]);
    });

    it('never by hiding it, when the key may not list versions', async () => {
      bucket.server.fault = ({ name }) =>
        name === 'ListObjectVersions' ? { answer: 403, code: 'AccessDenied' } : undefined;
      await should(store.erase(copy, permitted)).be.rejectedWith({
        code: 'STORE_FAILED',
        message: /s3:ListBucketVersions/
      });
      should(await left()).have.length(3);
    });

    it('only while that is permitted', async () => {
      const refusing = (): Promise<void> =>
        Promise.reject(new CodedError('DELETION_REFUSED', 'A hold came.'));
      await should(store.erase(copy, refusing)).be.rejectedWith({ code: 'DELETION_REFUSED' });
      should(await left()).have.length(3);
    });
  });

  describe('never while the store holds it', () => {
    let copy: CopyToErase;
    const until = new Date(Date.now() + 86_400_000).toISOString();
    beforeEach(async function () {
      await open(this, 'locked');
      copy = await stored();
    });

    it('not even its text', async () => {
      await store.lock!(copy.location, copy, { mode: 'governance', until, hold: true });
      await should(store.erase(copy, permitted)).be.rejectedWith({
        code: 'DELETION_REFUSED',
        message: /is locked until \d{4}-.* and on hold\. It was not deleted/
      });
      should(await left()).have.length(3);
    });

    it('nor when its lock could not be seen before', async () => {
      await store.lock!(copy.location, copy, { mode: 'governance', until, hold: false });
      let asked = 0;
      bucket.server.fault = ({ name, key }) =>
        name === 'GetObjectRetention' && key === 'calls/a.wav' && ++asked === 1
          ? { answer: 404, code: 'NoSuchObjectLockConfiguration' }
          : undefined;
      await should(store.erase(copy, permitted)).be.rejectedWith({ code: 'DELETION_REFUSED' });
      should(await bucket.versions('calls/a.wav')).have.length(1);
      should(await bucket.versions('calls/a.wav.json')).have.length(1);
    });

    it('but once nothing holds it', async () => {
      should(await store.erase(copy, permitted)).equal(3);
      should(await left()).eql([]);
    });
  });
});
