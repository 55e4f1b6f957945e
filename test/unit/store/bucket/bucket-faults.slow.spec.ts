import should from 'should';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { CodedError } from '../../../../src/errors/coded-error';
import type { BucketSettings } from '../../../../src/store/bucket/client/settings';
import type { PartialCopy } from '../../../../src/store/destination';
import { S3_USER } from '../../../support/ceph';
import { until } from '../../../support/until';
import { MIB, noise, publish, storeBytes, TestBucket, writeAll } from './bucket-fixture';

describe('bucket store faults', function () {
  let bucket: TestBucket;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  /** The error of a failed store, which must not reveal secrets. */
  async function failure(over: Partial<BucketSettings> = {}, size = 1000): Promise<CodedError> {
    const error = await storeBytes(bucket.store(over), 'a.wav', noise(size)).then(
      () => {
        throw new Error('It was stored');
      },
      (reason: unknown) => reason as CodedError
    );
    should(error.code).equal('STORE_FAILED');
    const { credentials } = over;
    const keys = [S3_USER, ...(credentials ? [credentials] : [])];
    const secrets = keys.flatMap(({ accessKeyId, secretAccessKey }) => [accessKeyId, secretAccessKey]);
    const everything = inspect(error, { depth: 10, showHidden: true });
    for (const secret of secrets) should(everything.includes(secret)).equal(false, 'a secret was revealed');
    should(everything).not.match(/Signature=|AWS4-HMAC/);
    return error;
  }

  async function begun(bytes: Buffer, name = 'a.wav', store = bucket.store()): Promise<PartialCopy> {
    const part = await store.openPart('job1');
    await part.begin?.({ name, contentType: 'audio/wav', size: bytes.length });
    return part;
  }

  describe('a cut transfer', () => {
    it('resumes with the parts that arrived', async () => {
      const bytes = noise(18 * MIB);
      const store = bucket.store();
      const first = await begun(bytes, 'a.wav', store);
      await writeAll(first, bytes.subarray(0, 13 * MIB));
      await first.suspend();

      const second = await store.openPart('job1');
      should(second.size).equal(10 * MIB);
      const { hash, size, head, tail } = second.remembered!();
      should(hash.digest('hex')).equal(sha256(bytes.subarray(0, 10 * MIB)));
      should(size).equal(10 * MIB);
      should(head.subarray(0, 4096)).eql(bytes.subarray(0, 4096));
      should(tail).eql(bytes.subarray(10 * MIB - 4096, 10 * MIB));
      await writeAll(second, bytes.subarray(10 * MIB));
      should((await publish(second, 'a.wav', bytes)).alreadyStored).equal(false);

      should(bucket.server.names().filter((name) => name === 'UploadPart')).have.length(4);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
      should(bucket.uploadLog.count()).equal(0);
    });

    it('resumes again and again', async () => {
      const bytes = noise(22 * MIB);
      const store = bucket.store();
      let part = await begun(bytes, 'a.wav', store);
      for (const reached of [3, 8, 9, 14, 21]) {
        await writeAll(part, bytes.subarray(part.size, reached * MIB));
        await part.suspend();
        part = await store.openPart('job1');
        if (part.size === 0)
          await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: bytes.length });
      }
      should(part.size).equal(20 * MIB);
      await writeAll(part, bytes.subarray(part.size));
      await publish(part, 'a.wav', bytes);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
      should(await bucket.server.incompleteUploads()).eql([]);
    });

    it('starts over with less than one part', async () => {
      const store = bucket.store();
      const part = await begun(noise(1000), 'a.wav', store);
      await part.write(noise(500));
      await part.suspend();
      should((await store.openPart('job1')).size).equal(0);
      should(bucket.server.names()).eql([]);
    });

    it('may start over with another file', async () => {
      const part = await begun(noise(12 * MIB));
      await writeAll(part, noise(12 * MIB));
      await part.restart();
      should(part.size).equal(0);
      const bytes = noise(11 * MIB, 5);
      await part.begin?.({ name: 'b.wav', contentType: 'audio/wav', size: bytes.length });
      await writeAll(part, bytes);
      should(part.remembered!().head.subarray(0, 4096)).eql(bytes.subarray(0, 4096));
      await publish(part, 'b.wav', bytes);
      should(await bucket.server.keys()).eql(['calls/b.wav']);
      should(sha256(await bucket.server.bytes('calls/b.wav'))).equal(sha256(bytes));
      should(await bucket.server.incompleteUploads()).eql([]);
    });

    it('keeps only the parts that certainly arrived when a part is rejected', async () => {
      const bytes = noise(18 * MIB);
      const store = bucket.store();
      bucket.server.fault = ({ name, query }) =>
        name === 'UploadPart' && query.get('partNumber') === '2'
          ? { answer: 400, code: 'BadDigest' }
          : undefined;
      const part = await begun(bytes, 'a.wav', store);
      await should(writeAll(part, bytes)).be.rejectedWith({
        code: 'STORE_FAILED',
        message: /damaged/,
        retryable: true
      });
      await part.suspend();
      bucket.server.fault = () => undefined;
      const again = await store.openPart('job1');
      should(again.size).equal(5 * MIB);
      await writeAll(again, bytes.subarray(5 * MIB));
      await publish(again, 'a.wav', bytes);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
    });
  });

  it('resumes when only the last, short part was rejected', async () => {
    const bytes = noise(11 * MIB);
    const store = bucket.store();
    bucket.server.fault = ({ name, query }) =>
      name === 'UploadPart' && query.get('partNumber') === '3'
        ? { answer: 400, code: 'BadDigest' }
        : undefined;
    const first = await begun(bytes, 'a.wav', store);
    await writeAll(first, bytes);
    await should(publish(first, 'a.wav', bytes)).be.rejectedWith({ retryable: true });
    await first.suspend();
    bucket.server.fault = () => undefined;
    const second = await store.openPart('job1');
    should(second.size).equal(10 * MIB);
    await writeAll(second, bytes.subarray(10 * MIB));
    await publish(second, 'a.wav', bytes);
    should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
    should(bucket.server.names().filter((name) => name === 'CreateMultipartUpload')).have.length(1);
  });

  it('never sends a part after a short one', async () => {
    const bytes = noise(11 * MIB);
    const store = bucket.store();
    bucket.server.fault = ({ name }) =>
      name === 'CompleteMultipartUpload' ? { answer: 400, code: 'OperationAborted' } : undefined;
    const part = await begun(bytes, 'a.wav', store);
    await writeAll(part, bytes);
    await should(publish(part, 'a.wav', bytes)).be.rejectedWith({ retryable: true });
    await part.suspend();
    const again = await store.openPart('job1');
    should(again.size).equal(bytes.length);
    await should(again.write(noise(1))).be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
    await again.suspend();
    should(await bucket.server.incompleteUploads()).eql([]);
  });

  describe('an incomplete upload', () => {
    async function halfSent(): Promise<PartialCopy> {
      const part = await begun(noise(18 * MIB));
      await writeAll(part, noise(18 * MIB).subarray(0, 12 * MIB));
      should(await bucket.server.incompleteUploads()).eql(['calls/a.wav']);
      should(bucket.uploadLog.count()).equal(1);
      return part;
    }

    async function nothingLeft(): Promise<void> {
      should(await bucket.server.incompleteUploads()).eql([]);
      should(await bucket.server.keys()).eql([]);
      should(bucket.uploadLog.count()).equal(0);
    }

    it('is dropped when the job is given up', async () => {
      await (await halfSent()).discard();
      await nothingLeft();
    });

    it('is dropped with the store, between two attempts', async () => {
      const store = bucket.store({}, { closingMs: 5000 });
      const part = await begun(noise(18 * MIB), 'a.wav', store);
      await writeAll(part, noise(12 * MIB));
      await part.suspend();
      await store.close();
      await nothingLeft();
      await should(store.openPart('job1')).be.rejectedWith({ code: 'STORE_FAILED' });
    });

    it('is dropped with the store, in the middle of a part', async () => {
      const store = bucket.store({}, { closingMs: 5000 });
      const part = await begun(noise(18 * MIB), 'a.wav', store);
      bucket.server.fault = ({ name, query }) =>
        name === 'UploadPart' && query.get('partNumber') === '2' ? 'stall' : undefined;
      const writing = writeAll(part, noise(18 * MIB));
      const parts = () => bucket.server.names().filter((name) => name === 'UploadPart').length;
      await until('the second part', () => (parts() > 1 ? true : undefined));
      const closed = store.close();
      let isClosed = false;
      void closed.then(() => (isClosed = true));
      await should(writing).be.rejectedWith({ code: 'STORE_FAILED', message: /stopped/ });
      // The connections must stay open until the incomplete upload is dropped.
      await new Promise((resolve) => setImmediate(resolve));
      should(isClosed).equal(false);
      await part.suspend();
      await closed;
      await nothingLeft();
    });

    it('is dropped when no attempt resumes it', async () => {
      const store = bucket.store({}, { keptMs: 50 });
      const part = await begun(noise(18 * MIB), 'a.wav', store);
      await writeAll(part, noise(12 * MIB));
      await part.suspend();
      await until('the end of the upload', async () =>
        (await bucket.server.incompleteUploads()).length === 0 ? true : undefined
      );
      should((await store.openPart('job1')).size).equal(0);
    });

    it('is dropped at the next start after the process is killed', async () => {
      // Never closed, as if the process had died here.
      const killed = bucket.store({}, { run: 'killed' });
      const part = await begun(noise(18 * MIB), 'a.wav', killed);
      await writeAll(part, noise(12 * MIB));
      const store = bucket.store();
      // Uploads of this process itself stay.
      const own = await store.openPart('job2');
      await own.begin?.({ name: 'own.wav', contentType: 'audio/wav', size: null });
      await writeAll(own, noise(11 * MIB));
      should(await store.dropLeftOvers()).equal(1);
      should(await bucket.server.incompleteUploads()).eql(['calls/own.wav']);
      await own.discard();
      await nothingLeft();
      await part.discard();
    });

    it('is found by its key when the process is killed before the upload has an id', async () => {
      const put = bucket.uploadLog.put.bind(bucket.uploadLog);
      // The second entry, with the upload's id, never reaches the disk.
      const uploadLog = Object.assign(Object.create(bucket.uploadLog) as typeof bucket.uploadLog, {
        put: (key: string, value: { key: string; uploadId: string | null }) =>
          value.uploadId === null ? put(key, value) : new Promise<void>(() => undefined)
      });
      const killed = bucket.store({}, { run: 'killed', uploadLog: uploadLog });
      const part = await begun(noise(11 * MIB), 'a.wav', killed);
      void writeAll(part, noise(11 * MIB)).catch(() => undefined);
      await until('the upload', async () => (await bucket.server.incompleteUploads())[0]);
      await bucket.store({}, { emptyMs: 0 }).dropLeftOvers();
      await nothingLeft();
    });

    it('is found by its key when the response with its id never arrives', async () => {
      bucket.server.fault = ({ name }) => (name === 'CreateMultipartUpload' ? 'lose-answer' : undefined);
      await failure({}, 11 * MIB);
      should(await bucket.server.incompleteUploads()).not.be.empty();
      should(bucket.uploadLog.count()).equal(1);
      bucket.server.fault = () => undefined;
      await bucket.store({}, { run: 'next', emptyMs: 0 }).dropLeftOvers();
      await nothingLeft();
    });

    it('stays in the log while the store is unreachable, and is dropped later', async () => {
      const part = await halfSent();
      bucket.server.fault = ({ name }) => (name === 'AbortMultipartUpload' ? 'cut' : undefined);
      await part.discard();
      should(bucket.uploadLog.count()).equal(1);
      bucket.server.fault = () => undefined;
      await bucket.store({}, { run: 'next' }).dropLeftOvers();
      await nothingLeft();
    });

    it('of another bucket is left to that bucket', async () => {
      const part = await halfSent();
      should(await bucket.store({ bucket: 'another-bucket' }, { run: 'next' }).dropLeftOvers()).equal(0);
      should(bucket.uploadLog.count()).equal(1);
      await part.discard();
    });

    it('is not started when it cannot be logged', async () => {
      const uploadLog = Object.assign(Object.create(bucket.uploadLog) as typeof bucket.uploadLog, {
        put: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
      });
      const part = await begun(noise(11 * MIB), 'a.wav', bucket.store({}, { uploadLog: uploadLog }));
      await should(writeAll(part, noise(11 * MIB))).be.rejectedWith({
        code: 'STORE_FAILED',
        message: /disk is full/
      });
      await part.suspend();
      should(bucket.server.names()).eql([]);
    });
  });

  for (const [when, sent] of [
    ['in the middle', 12 * MIB],
    ['at the end', 18 * MIB]
  ] as const) {
    it(`sends everything again when the store dropped the upload ${when}`, async () => {
      const bytes = noise(18 * MIB);
      const store = bucket.store();
      const part = await begun(bytes, 'a.wav', store);
      await writeAll(part, bytes.subarray(0, sent));
      await until('two parts', () =>
        bucket.server.names().filter((name) => name === 'UploadPart').length > 1 ? true : undefined
      );
      await bucket.server.dropUploads();
      const rest = writeAll(part, bytes.subarray(sent)).then(() => publish(part, 'a.wav', bytes));
      await should(rest).be.rejectedWith({ code: 'STORE_FAILED', message: /dropped/, retryable: true });
      await part.suspend();
      should((await store.openPart('job1')).size).equal(0);
      await storeBytes(store, 'a.wav', bytes);
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
      should(bucket.uploadLog.count()).equal(0);
    });
  }

  it('sends everything again when the store dropped the upload between two attempts', async () => {
    const bytes = noise(11 * MIB);
    const store = bucket.store();
    bucket.server.fault = ({ name }) =>
      name === 'CompleteMultipartUpload' ? { answer: 400, code: 'OperationAborted' } : undefined;
    const part = await begun(bytes, 'a.wav', store);
    await writeAll(part, bytes);
    await should(publish(part, 'a.wav', bytes)).be.rejectedWith({ retryable: true });
    await part.suspend();
    bucket.server.fault = () => undefined;
    await bucket.server.dropUploads();
    const again = await store.openPart('job1');
    should(again.size).equal(bytes.length);
    await should(publish(again, 'a.wav', bytes)).be.rejectedWith({ message: /dropped/, retryable: true });
    await again.suspend();
    await storeBytes(store, 'a.wav', bytes);
    should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(bytes));
  });

  describe('a lost answer', () => {
    it('of the last request does not store twice', async () => {
      for (const size of [1000, 11 * MIB]) {
        const bytes = noise(size);
        let lost = false;
        bucket.server.fault = ({ name }) => {
          if (lost || (name !== 'PutObject' && name !== 'CompleteMultipartUpload')) return undefined;
          lost = true;
          return 'lose-answer';
        };
        const { location } = await storeBytes(bucket.store(), `${size}.wav`, bytes);
        should(lost).equal(true);
        should(location).endWith(`/${size}.wav`);
        should(sha256(await bucket.server.bytes(`calls/${size}.wav`))).equal(sha256(bytes));
      }
      should(await bucket.server.keys()).have.length(2);
      should(await bucket.server.incompleteUploads()).eql([]);
    });

    it('of the last request, again and again, is resolved by the next attempt', async () => {
      const bytes = noise(11 * MIB);
      const store = bucket.store();
      bucket.server.fault = ({ name }) => (name === 'CompleteMultipartUpload' ? 'lose-answer' : undefined);
      const part = await begun(bytes, 'a.wav', store);
      await writeAll(part, bytes);
      await publish(part, 'a.wav', bytes).then(
        () => undefined,
        async (error: unknown) => {
          should(error).have.property('retryable', true);
          await part.suspend();
          const again = await store.openPart('job1');
          should(again.size).equal(bytes.length);
          await publish(again, 'a.wav', bytes);
        }
      );
      should(await bucket.server.keys()).eql(['calls/a.wav']);
      should(await bucket.server.incompleteUploads()).eql([]);
      should(bucket.uploadLog.count()).equal(0);
    });
  });

  describe('a store that is busy', () => {
    it('is retried', async () => {
      const failed = new Set<string>();
      bucket.server.fault = ({ name, query }) => {
        const request = `${name} ${query.get('partNumber') ?? ''}`;
        if (failed.has(request)) return undefined;
        failed.add(request);
        return { answer: 503, code: 'SlowDown' };
      };
      await storeBytes(bucket.store(), 'a.wav', noise(11 * MIB));
      should(sha256(await bucket.server.bytes('calls/a.wav'))).equal(sha256(noise(11 * MIB)));
      should([...failed]).containDeep(['CreateMultipartUpload ', 'UploadPart 2', 'CompleteMultipartUpload ']);
    });

    it('for a long time makes the job wait as long as it asks for', async () => {
      bucket.server.fault = ({ name }) =>
        name === 'PutObject' ? { answer: 503, code: 'SlowDown', headers: { 'retry-after': '1' } } : undefined;
      const error = await failure();
      should(error.message).match(/busy.*SlowDown/);
      should(error).have.properties({ retryable: true, retryAfterMs: 1000 });
    });
  });

  const wrong = { accessKeyId: 'TESTACCESSKEY0000001', secretAccessKey: 'not-the-secret-of-this-key' };
  const nobody = { accessKeyId: 'NOBODYSKEY0000000001', secretAccessKey: 'some-secret-of-nobody' };
  const cases: [string, Partial<BucketSettings>, RegExp][] = [
    ['a bucket that does not exist', { bucket: 'no-such-bucket' }, /no bucket of that name.*NoSuchBucket/],
    ['a wrong secret', { credentials: wrong }, /secret access key does not belong.*SignatureDoesNotMatch/],
    ['an unknown key', { credentials: nobody }, /does not know this access key ID/],
    ['an address without a server', { endpoint: 'http://127.0.0.1:9' }, /nothing answers at the address/],
    ['a name that cannot be resolved', { endpoint: 'http://bucket.invalid' }, /cannot be resolved/]
  ];
  for (const [what, settings, message] of cases) {
    it(`says what to do about ${what}, before the file is fetched`, async () => {
      const error = await failure(settings);
      should(error.message).match(message);
      should(error.retryable).equal(true);
      should(bucket.server.names()).eql([]);
      await should(
        bucket.store(settings).readBack(`s3://${settings.bucket ?? bucket.server.bucket}/x`)
      ).be.rejectedWith({
        message
      });
    });
  }

  const answers: [string, number, RegExp, boolean][] = [
    ['AccessDenied', 403, /needs s3:PutObject/, true],
    ['RequestTimeTooSkewed', 403, /clock is wrong/, true],
    ['ExpiredToken', 400, /run out/, true],
    ['PermanentRedirect', 301, /another region/, true],
    ['EntityTooLarge', 400, /larger than the store takes/, false],
    ['SomethingNew', 418, /answered 418 \(SomethingNew\)/, true]
  ];
  for (const [code, answer, message, retryable] of answers) {
    it(`says what ${code} means`, async () => {
      for (const [request, size] of [
        ['PutObject', 1000],
        ['CreateMultipartUpload', 6 * MIB]
      ] as const) {
        bucket.server.fault = ({ name }) => (name === request ? { answer, code } : undefined);
        const error = await failure({}, size);
        should(error.message).match(message);
        should(error.retryable).equal(retryable);
      }
      should(bucket.uploadLog.count()).equal(0);
    });
  }

  it('reports that no credentials were found', async () => {
    const found = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
    for (const [name] of found) Reflect.deleteProperty(process.env, name);
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/nonexistent';
    process.env['AWS_CONFIG_FILE'] = '/nonexistent';
    try {
      const error = await failure({ credentials: null });
      should(error.message).match(/no access key was found/);
      process.env['AWS_ACCESS_KEY_ID'] = S3_USER.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = S3_USER.secretAccessKey;
      await storeBytes(bucket.store({ credentials: null }), 'env.wav', noise(10));
    } finally {
      for (const name of Object.keys(process.env))
        if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
      for (const [name, value] of found) process.env[name] = value;
    }
    should(await bucket.server.keys()).eql(['calls/env.wav']);
  });
});
