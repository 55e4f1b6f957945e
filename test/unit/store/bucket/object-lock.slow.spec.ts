import { HeadObjectCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import should from 'should';
import type { BucketStore } from '../../../../src/store/bucket/bucket-store';
import type { KnownCopy, WantedLock } from '../../../../src/store/destination';
import type { LockFacts } from '../../../../src/store/kept-facts';
import { S3_GUEST } from '../../../support/ceph';
import { S3Server, type S3Call } from '../../../support/s3-server';
import { MIB, noise, storeBytes, TestBucket } from './bucket-fixture';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

/** The server is Debian's radosgw: it drops lock headers of multipart uploads, and keeps what is set afterwards. */
describe('the lock of a stored recording', () => {
  let bucket: TestBucket;
  let store: BucketStore;

  async function open(context: Mocha.Context, locked = true): Promise<void> {
    bucket = await TestBucket.create(context, await S3Server.start(context, { locked }));
    bucket.server.addsToday = false;
    store = bucket.store();
  }
  afterEach(() => TestBucket.removeAll());

  async function stored(size = 1000): Promise<{ location: string; copy: KnownCopy }> {
    const { location, versionId = null } = await storeBytes(store, `${size}.wav`, noise(size));
    return { location: location!, copy: { size, versionId } };
  }
  const lock = async (
    { location, copy }: { location: string; copy: KnownCopy },
    wanted: Partial<WantedLock> = {}
  ): Promise<LockFacts> =>
    await store.lock!(location, copy, { mode: 'governance', until: inDays(1), hold: false, ...wanted });
  const atStore = async (size: number, versionId: string | null): Promise<unknown> => {
    const { ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus } =
      await bucket.server.direct.send(
        new HeadObjectCommand({
          Bucket: bucket.server.bucket,
          Key: `calls/${size}.wav`,
          VersionId: versionId ?? ''
        })
      );
    return [ObjectLockMode, ObjectLockRetainUntilDate?.getTime(), ObjectLockLegalHoldStatus];
  };

  describe('in a bucket with object lock', () => {
    beforeEach(function () {
      return open(this);
    });

    for (const size of [1000, 6 * MIB])
      it(`is on the version of a file of ${size} bytes, and confirmed`, async () => {
        const file = await stored(size);
        const until = inDays(1);
        const facts = await lock(file, { until, hold: true });
        should(facts).have.properties({
          mode: 'governance',
          hold: true,
          version_id: file.copy.versionId
        });
        const time = Date.parse(facts.until);
        should(time).be.within(Date.parse(until), Date.parse(until) + 1000);
        should(await atStore(size, file.copy.versionId)).eql(['GOVERNANCE', time, 'ON']);
      });

    it('may be set again, and never gets shorter or weaker', async () => {
      const file = await stored();
      const long = await lock(file, { mode: 'compliance', until: inDays(0.01) });
      should(await lock(file, { until: inDays(0.005) })).have.properties({
        mode: 'compliance',
        until: long.until
      });
      const longer = await lock(file, { until: inDays(0.02) });
      should(longer.mode).equal('compliance');
      should(Date.parse(longer.until)).be.above(Date.parse(long.until));
    });

    it('gets stronger on request', async () => {
      const file = await stored();
      const weak = await lock(file);
      bucket.server.calls.length = 0;
      // Needs a right of its own, which the store may refuse: then nothing is claimed.
      await should(lock(file, { mode: 'compliance' })).be.rejectedWith({
        code: 'LOCK_UNCONFIRMED',
        retryable: true
      });
      should(await atStore(1000, file.copy.versionId)).containDeep(['GOVERNANCE', Date.parse(weak.until)]);
    });

    const faults: [string, (call: S3Call) => boolean, RegExp][] = [
      ['drops it', ({ name }) => name === 'PutObjectRetention', /does not say that it is there/],
      ['drops the hold', ({ name }) => name === 'PutObjectLegalHold', /does not say that it is there/]
    ];
    for (const [what, isMeant, message] of faults)
      it(`is never claimed when the store ${what} and answers 200`, async () => {
        const file = await stored();
        bucket.server.fault = (call) => (isMeant(call) ? 'pretend' : undefined);
        await should(lock(file, { hold: true })).be.rejectedWith({
          code: 'LOCK_UNCONFIRMED',
          retryable: true,
          message
        });
        bucket.server.fault = () => undefined;
        should(await lock(file, { hold: true })).have.property('hold', true);
      });

    it('is never claimed when the store dies before it says so', async () => {
      const file = await stored();
      bucket.server.fault = ({ name }) =>
        name === 'PutObjectRetention' ? { answer: 500, code: 'X' } : undefined;
      await should(lock(file)).be.rejectedWith({ code: 'LOCK_UNCONFIRMED', retryable: true });
      let asked = 0;
      bucket.server.fault = ({ name }) =>
        name === 'GetObjectRetention' && ++asked > 1 ? { answer: 400, code: 'X' } : undefined;
      await should(lock(file)).be.rejectedWith({ retryable: true });
    });

    it('is of the version that was stored, not of a later one', async () => {
      const file = await stored();
      const other = bucket.store();
      const later = await storeBytes(other, '999.wav', noise(999));
      await lock(file);
      should(await atStore(1000, file.copy.versionId)).containDeep(['GOVERNANCE']);
      should(await atStore(999, later.versionId ?? null)).eql([undefined, undefined, undefined]);
    });

    describe('with a key of few rights', () => {
      const rights = [
        's3:PutObject',
        's3:GetObject',
        's3:GetObjectVersion',
        's3:ListBucket',
        's3:ListBucketVersions'
      ];
      const allow = async (...more: string[]): Promise<void> => {
        const { bucket: name, direct } = bucket.server;
        const rule = (effect: string, actions: string[]): object => ({
          Effect: effect,
          Principal: { AWS: ['arn:aws:iam:::user/guest'] },
          Action: actions,
          Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`]
        });
        const all = [
          'PutObjectRetention',
          'PutObjectLegalHold',
          'GetObjectRetention',
          'GetObjectLegalHold'
        ].map((right) => `s3:${right}`);
        const denied = all.filter((right) => !more.includes(right));
        // At Ceph, the writer of an object owns it, and may do what no rule denies.
        const statements = [
          rule('Allow', [...rights, ...more]),
          ...(denied.length > 0 ? [rule('Deny', denied)] : [])
        ];
        await direct.send(
          new PutBucketPolicyCommand({
            Bucket: name,
            Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements })
          })
        );
        store = bucket.store({ credentials: S3_GUEST });
      };

      it('names the right to lock', async () => {
        await allow('s3:GetObjectRetention', 's3:GetObjectLegalHold');
        await should(lock(await stored())).be.rejectedWith({
          code: 'LOCK_UNCONFIRMED',
          message: /needs s3:PutObjectRetention/
        });
      });

      it('takes what it cannot see neither for locked nor for unlocked', async () => {
        await allow('s3:PutObjectRetention');
        const file = await stored();
        const until = inDays(1);
        await should(lock(file, { until })).be.rejectedWith({
          code: 'LOCK_UNCONFIRMED',
          message: /may not ask for the lock. It needs s3:GetObjectRetention/
        });
        await allow('s3:PutObjectRetention', 's3:GetObjectRetention', 's3:GetObjectLegalHold');
        bucket.server.calls.length = 0;
        should(await lock(file, { until })).have.property('mode', 'governance');
        // It was there all the time.
        should(bucket.server.names()).not.containEql('PutObjectRetention');
      });
    });
  });

  it('is never claimed in a bucket that has no object lock', async function () {
    await open(this, false);
    await bucket.keepVersions();
    await should(lock(await stored())).be.rejectedWith({
      code: 'LOCK_UNCONFIRMED',
      message: /no object lock/
    });
  });

  it('is never claimed in a bucket without versions', async function () {
    await open(this, false);
    await should(lock(await stored())).be.rejectedWith({
      code: 'LOCK_UNCONFIRMED',
      message: /no version, and only versions can be locked/
    });
  });
});
