import should from 'should';
import { createHash } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MIB, noise, publish, storeBytes, TestBucket, writeAll } from './bucket-fixture';

describe('bucket store', function () {
  let bucket: TestBucket;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const put = (key: string, bytes: Buffer): Promise<unknown> =>
    bucket.server.direct.send(new PutObjectCommand({ Bucket: bucket.server.bucket, Key: key, Body: bytes }));

  for (const [what, size] of [
    ['of one byte', 1],
    ['of exactly one part', 5 * MIB],
    ['of one part and a byte', 5 * MIB + 1],
    ['of exactly three parts', 15 * MIB],
    ['of many parts', 23 * MIB + 17]
  ] as const) {
    it(`stores a file ${what}, with or without an announced size`, async () => {
      const bytes = noise(size);
      for (const announced of [size, null]) {
        const name = `2026/03/${announced === null ? 'unannounced' : 'announced'}.wav`;
        const store = bucket.store();
        const stored = await storeBytes(store, name, bytes, { size: announced });
        should(stored).eql({ location: `s3://${bucket.server.bucket}/calls/${name}`, alreadyStored: false });
        should(sha256(await bucket.server.bytes(`calls/${name}`))).equal(sha256(bytes));
        should(await store.readBack(stored.location!)).eql({ sha256: sha256(bytes), size });
      }
      should(await bucket.server.incompleteUploads()).eql([]);
      should(bucket.uploadLog.count()).equal(0);
    });
  }

  it('sends a small file in one request, with its hash in checksum, signature and metadata', async () => {
    const bytes = noise(200_000);
    await storeBytes(bucket.store(), 'a.wav', bytes);
    should(bucket.server.names()).eql(['PutObject']);
    const { headers } = bucket.server.calls.find(({ name }) => name === 'PutObject')!;
    should(headers['if-none-match']).equal('*');
    should(headers['content-type']).equal('audio/wav');
    should(headers['x-amz-content-sha256']).equal(sha256(bytes));
    should(headers['x-amz-checksum-sha256']).equal(Buffer.from(sha256(bytes), 'hex').toString('base64'));
    should(headers['x-amz-meta-sha256']).equal(sha256(bytes));
    should(headers).not.have.property('x-amz-server-side-encryption');
  });

  it('sends a large file in equal parts, each with its hash', async () => {
    await storeBytes(bucket.store(), 'a.wav', noise(12 * MIB));
    should(bucket.server.names()).eql([
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPart',
      'UploadPart',
      'CompleteMultipartUpload'
    ]);
    const parts = bucket.server.calls.filter(({ name }) => name === 'UploadPart');
    should(parts.map(({ size }) => size)).eql([5 * MIB, 5 * MIB, 2 * MIB]);
    for (const { headers } of parts) should(headers['x-amz-checksum-sha256']).be.a.String();
    const [complete] = bucket.server.calls.filter(({ name }) => name === 'CompleteMultipartUpload');
    should(complete!.headers['if-none-match']).equal('*');
  });

  it('sends parts while the file still arrives, and pauses it while a part is in flight', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    bucket.server.pause = ({ name }) => (name === 'UploadPart' ? released : undefined);
    const bytes = noise(16 * MIB);
    const part = await bucket.store().openPart('job1');
    await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: null });
    await writeAll(part, bytes.subarray(0, 10 * MIB));
    let accepted = false;
    const waiting = part.write(bytes.subarray(10 * MIB, 10 * MIB + 1)).then(() => (accepted = true));
    // The server delays the first part: accepting the third would let memory grow.
    await bucket.server.keys();
    should(accepted).equal(false);
    release();
    await waiting;
    await writeAll(part, bytes.subarray(10 * MIB + 1));
    await publish(part, 'a.wav', bytes);
    should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
  });

  it('requests the configured encryption, even for parts and sidecars', async () => {
    const requests = ['PutObject', 'CreateMultipartUpload'];
    await storeBytes(bucket.store({ sse: 'AES256' }), 'a.wav', noise(100));
    await storeBytes(bucket.store({ sse: 'AES256' }), 'b.wav', noise(6 * MIB));
    for (const { headers } of bucket.server.calls.filter(({ name }) => requests.includes(name)))
      should(headers['x-amz-server-side-encryption']).equal('AES256');

    // The test server has no key management; only the requests matter.
    bucket.server.calls.length = 0;
    const store = bucket.store({ sse: 'aws:kms', kmsKeyId: 'alias/archive' });
    await should(storeBytes(store, 'c.wav', noise(100))).be.rejectedWith({ code: 'STORE_FAILED' });
    await should(storeBytes(store, 'd.wav', noise(6 * MIB))).be.rejectedWith({ code: 'STORE_FAILED' });
    const asked = bucket.server.calls.filter(({ name }) => requests.includes(name));
    should(asked.map(({ name }) => name)).containDeep(requests);
    for (const { headers } of asked) {
      should(headers['x-amz-server-side-encryption']).equal('aws:kms');
      should(headers['x-amz-server-side-encryption-aws-kms-key-id']).equal('alias/archive');
    }
  });

  it('accepts keys with every character that a name can contain', async () => {
    const name = 'Ünï cødé/+1 202 555 0100/a&b=c?d#e%20f (1)~\'!*".wav';
    const bytes = noise(1000);
    const store = bucket.store({ prefix: 'Anrufe 2026/' });
    const { location } = await storeBytes(store, name, bytes);
    should(await bucket.server.keys()).eql([`Anrufe 2026/${name}`]);
    should((await store.readBack(location!)).sha256).equal(sha256(bytes));
  });

  for (const name of ['../a.wav', 'a/../../b.wav', '/a.wav', 'a//b.wav', './a.wav', 'a\0.wav', 'c:/a.wav']) {
    it(`rejects the name ${JSON.stringify(name)}`, async () => {
      await should(storeBytes(bucket.store(), name, noise(10))).be.rejectedWith({ code: 'STORE_FAILED' });
      should(await bucket.server.keys()).eql([]);
    });
  }

  it('rejects a key that no bucket accepts, and does not retry it', async () => {
    const name = Array.from({ length: 10 }, () => 'x'.repeat(120)).join('/');
    await should(storeBytes(bucket.store(), name, noise(10))).be.rejectedWith({
      code: 'STORE_FAILED',
      message: /1024 bytes/,
      retryable: false
    });
  });

  describe('when the key already exists', () => {
    for (const size of [1000, 11 * MIB]) {
      const what = size === 1000 ? 'small' : 'large';

      it(`does not store the same ${what} file twice, nor send it`, async () => {
        const bytes = noise(size);
        await storeBytes(bucket.store(), 'a.wav', bytes);
        bucket.server.calls.length = 0;
        const again = await storeBytes(bucket.store(), 'a.wav', bytes);
        should(again).eql({ location: `s3://${bucket.server.bucket}/calls/a.wav`, alreadyStored: true });
        should(bucket.server.names()).eql([]);
        should(await bucket.server.keys()).eql(['calls/a.wav']);
      });

      it(`stores a ${what} file of another size under a different key`, async () => {
        await put('calls/a.wav', noise(size + 1, 7));
        const { location } = await storeBytes(bucket.store(), 'a.wav', noise(size));
        should(location).equal(`s3://${bucket.server.bucket}/calls/a_2.wav`);
        should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(noise(size + 1, 7)));
      });

      it(`never overwrites an object that appears while a ${what} file is being sent`, async () => {
        const other = noise(50, 9);
        const store = bucket.store();
        const bytes = noise(size);
        const part = await store.openPart('job1');
        await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size });
        await writeAll(part, bytes);
        await put('calls/a.wav', other);
        const done = publish(part, 'a.wav', bytes);
        if (size === 1000) should((await done).location).endWith('/calls/a_2.wav');
        else {
          await should(done).be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
          await part.suspend();
          // The bytes are gone, but not the findings.
          should((await store.openPart('job1')).size).equal(0);
          const again = await storeBytes(store, 'a.wav', bytes);
          should(again).eql({ location: `s3://${bucket.server.bucket}/calls/a_2.wav`, alreadyStored: false });
        }
        should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(other));
        should(sha256(await bucket.server.bytes('calls/a_2.wav'))).equal(sha256(bytes));
        should(await bucket.server.incompleteUploads()).eql([]);
      });

      it(`notices that another instance stored the same ${what} file meanwhile`, async () => {
        const bytes = noise(size);
        const part = await bucket.store().openPart('job1');
        await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size });
        await writeAll(part, bytes);
        await put('calls/a.wav', bytes);
        should((await publish(part, 'a.wav', bytes)).alreadyStored).equal(true);
        should(await bucket.server.keys()).eql(['calls/a.wav']);
        should(await bucket.server.incompleteUploads()).eql([]);
      });
    }

    it('stores a small file with other bytes of the same size immediately under a different key', async () => {
      await put('calls/a.wav', noise(1000, 7));
      const { location } = await storeBytes(bucket.store(), 'a.wav', noise(1000));
      should(location).equal(`s3://${bucket.server.bucket}/calls/a_2.wav`);
    });

    it('stores a large file with other bytes of the same size under a different key, on the second attempt', async () => {
      await put('calls/a.wav', noise(11 * MIB, 7));
      const store = bucket.store();
      await should(storeBytes(store, 'a.wav', noise(11 * MIB))).be.rejectedWith({ retryable: true });
      const { location } = await storeBytes(store, 'a.wav', noise(11 * MIB));
      should(location).equal(`s3://${bucket.server.bucket}/calls/a_2.wav`);
      should(sha256(await bucket.server.bytes('calls/a_2.wav'))).equal(sha256(noise(11 * MIB)));
    });

    it('gives up after ten names', async () => {
      await put('calls/a.wav', noise(5, 99));
      for (let copy = 2; copy <= 9; copy++) await put(`calls/a_${copy}.wav`, noise(5, copy));
      await storeBytes(bucket.store(), 'a.wav', noise(10), { jobId: 'x'.repeat(4) + '0123456789abcdef' });
      should(await bucket.server.keys()).containEql('calls/a_0123456789abcdef.wav');
      await should(
        storeBytes(bucket.store(), 'a.wav', noise(11), { jobId: '0123456789abcdef' })
      ).be.rejectedWith({ code: 'STORE_FAILED', message: /all its variants/ });
    });
  });

  it('does not publish bytes that differ from those received', async () => {
    const store = bucket.store();
    const part = await store.openPart('job1');
    await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: 1000 });
    await writeAll(part, noise(1000, 3));
    await should(publish(part, 'a.wav', noise(1000))).be.rejectedWith({
      code: 'STORE_FAILED',
      retryable: true
    });
    await part.suspend();
    should(await bucket.server.keys()).eql([]);
    should((await store.openPart('job1')).size).equal(0);
  });

  it('deletes an object that differs from what was sent', async () => {
    const store = bucket.store();
    bucket.server.addsToday = false;
    const part = await store.openPart('job1');
    const bytes = noise(1000);
    await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: 1000 });
    await writeAll(part, bytes);
    bucket.server.pause = async ({ name, headers }) => {
      // A store that loses the end: the check after the write finds less.
      const isAfter = bucket.server.names().includes('PutObject');
      if (isAfter && name === 'GetObject' && headers.range !== undefined)
        await put('calls/a.wav', noise(999));
    };
    await should(publish(part, 'a.wav', bytes)).be.rejectedWith({
      message: /not what was sent/,
      retryable: true
    });
    should(await bucket.server.keys()).eql([]);
  });

  it('reads an object whose checksum differs from the one sent, and keeps it only when the bytes match', async () => {
    const store = bucket.store();
    bucket.server.checksumSaid = () => Buffer.alloc(32).toString('base64');
    const kept = await storeBytes(store, 'a.wav', noise(1000));
    should(kept.alreadyStored).equal(false);
    bucket.server.pause = async ({ name, headers }) => {
      if (name === 'GetObject' && headers.range === undefined) await put('calls/b.wav', noise(1000, 2));
    };
    await should(storeBytes(store, 'b.wav', noise(1000))).be.rejectedWith({
      message: /not what was sent/,
      retryable: true
    });
    should(await bucket.server.keys()).eql(['calls/a.wav']);
  });

  it('reads back the current object', async () => {
    const store = bucket.store();
    const { location } = await storeBytes(store, 'a.wav', noise(6 * MIB));
    await put('calls/a.wav', noise(6 * MIB, 2));
    should((await store.readBack(location!)).sha256).equal(sha256(noise(6 * MIB, 2)));
    await should(store.readBack(`s3://${bucket.server.bucket}/calls/none.wav`)).be.rejectedWith({
      code: 'STORE_FAILED',
      message: /no such object/
    });
    await should(store.readBack('s3://another-bucket/calls/a.wav')).be.rejectedWith({ code: 'STORE_FAILED' });
  });

  describe('with the server of Debian, which has no condition for multipart uploads', () => {
    beforeEach(() => (bucket.server.addsToday = false));

    it('stores', async () => {
      for (const size of [1000, 6 * MIB]) {
        await storeBytes(bucket.store(), `${size}.wav`, noise(size));
        should(sha256(await bucket.server.bytes(`calls/${size}.wav`))).equal(sha256(noise(size)));
      }
    });

    it('checks before it completes an upload, and overwrites nothing', async () => {
      const part = await bucket.store().openPart('job1');
      const bytes = noise(6 * MIB);
      await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: bytes.length });
      await writeAll(part, bytes);
      await put('calls/a.wav', noise(10, 2));
      await should(publish(part, 'a.wav', bytes)).be.rejectedWith({ retryable: true });
      should(await bucket.server.bytes('calls/a.wav')).eql(noise(10, 2));
    });
  });

  describe('with a server that lacks a feature', () => {
    it('works without checksums', async () => {
      bucket.server.fault = ({ headers, name }) =>
        headers['x-amz-checksum-sha256'] !== undefined || headers['x-amz-checksum-algorithm'] !== undefined
          ? { answer: 501, code: 'NotImplemented' }
          : name === 'DeleteObject'
            ? 'cut'
            : undefined;
      const store = bucket.store();
      for (const size of [6 * MIB, 1000]) {
        const { location } = await storeBytes(store, `${size}.wav`, noise(size));
        should((await store.readBack(location!)).sha256).equal(sha256(noise(size)));
      }
      const put = bucket.server.calls.findLast(({ name }) => name === 'PutObject')!;
      should(put.headers['if-none-match']).equal('*');
      should(put.headers['x-amz-content-sha256']).equal(sha256(noise(1000)));
    });

    it('checks instead of setting a condition', async () => {
      bucket.server.addsToday = false;
      bucket.server.fault = ({ headers }) =>
        headers['if-none-match'] === undefined
          ? undefined
          : { answer: 501, code: 'NotImplemented', header: 'If-None-Match' };
      const store = bucket.store();
      for (const size of [6 * MIB, 1000]) await storeBytes(store, `${size}.wav`, noise(size));
      const part = await store.openPart('job2');
      const bytes = noise(700);
      await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: bytes.length });
      await part.write(bytes);
      await put('calls/a.wav', noise(10, 2));
      should((await publish(part, 'a.wav', bytes)).location).endWith('/a_2.wav');
      should(await bucket.server.bytes('calls/a.wav')).eql(noise(10, 2));
    });

    it('stores nothing when it may neither check nor set a condition', async () => {
      bucket.server.fault = ({ headers, name }) =>
        name === 'GetObject'
          ? { answer: 403, code: 'AccessDenied' }
          : headers['if-none-match'] !== undefined
            ? { answer: 501, code: 'NotImplemented', header: 'If-None-Match' }
            : undefined;
      for (const size of [1000, 6 * MIB])
        await should(storeBytes(bucket.store(), 'a.wav', noise(size))).be.rejectedWith({
          code: 'STORE_FAILED',
          message: /could overwrite/
        });
      should(await bucket.server.keys()).eql([]);
    });
  });

  it('stores with a key that may write and not read', async () => {
    bucket.server.fault = ({ name }) =>
      name === 'GetObject' ? { answer: 403, code: 'AccessDenied' } : undefined;
    for (const size of [1000, 6 * MIB]) await storeBytes(bucket.store(), `${size}.wav`, noise(size));
    should(await bucket.server.keys()).eql(['calls/1000.wav', `calls/${6 * MIB}.wav`]);
    await should(storeBytes(bucket.store(), '1000.wav', noise(1000))).be.rejectedWith({
      message: /s3:GetObject/
    });
  });

  it('sends the type of the file', async () => {
    await storeBytes(bucket.store(), 'a.wav', noise(6 * MIB));
    const head = await bucket.server.direct.send(
      new HeadObjectCommand({ Bucket: bucket.server.bucket, Key: 'calls/a.wav' })
    );
    should(head.ContentType).equal('audio/wav');
  });
});
