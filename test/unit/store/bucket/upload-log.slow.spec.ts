import should from 'should';
import type { BucketStore, BucketStoreOptions } from '../../../../src/store/bucket/bucket-store';
import type { PartialCopy } from '../../../../src/store/destination';
import { MIB, noise, publish, TestBucket, writeAll } from './bucket-fixture';

describe('incomplete uploads of several processes', function () {
  let bucket: TestBucket;
  const bytes = noise(12 * MIB);

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  async function halfSent(store: BucketStore): Promise<PartialCopy> {
    const part = await store.openPart('job1');
    await part.begin?.({ name: 'a.wav', contentType: 'audio/wav', size: bytes.length });
    await writeAll(part, bytes.subarray(0, 11 * MIB));
    return part;
  }
  const storeOf = (options: Partial<BucketStoreOptions>): BucketStore => bucket.store({}, options);

  it('are left alone by a replica with the same keys and its own state', async () => {
    const part = await halfSent(storeOf({ run: 'one', owner: 'one' }));
    // The other process died before the store returned the id of its upload to the same key.
    await bucket.otherLedger.put(await otherEntry(), { key: 'calls/a.wav', uploadId: null });
    const other = storeOf({
      uploadLog: bucket.otherLedger,
      run: 'two',
      owner: 'two',
      isDead: () => true,
      emptyMs: 0
    });
    await other.dropLeftOvers();
    should(await bucket.server.incompleteUploads()).eql(['calls/a.wav']);
    await writeAll(part, bytes.subarray(11 * MIB));
    should((await publish(part, 'a.wav', bytes)).alreadyStored).equal(false);
  });

  /** Makes an entry in the state of the other process, and returns its name. */
  async function otherEntry(): Promise<string> {
    const dead = storeOf({ uploadLog: bucket.otherLedger, run: 'dead' });
    const part = await dead.openPart('job0');
    bucket.server.fault = ({ name }) => (name === 'CreateMultipartUpload' ? 'cut' : undefined);
    await part.begin?.({ name: 'x.wav', contentType: 'audio/wav', size: null });
    await should(writeAll(part, bytes)).be.rejected();
    bucket.server.fault = () => undefined;
    const [entry] = [...bucket.otherLedger.range({})];
    return String(entry!.key);
  }

  it('are left alone while their process may be alive, and dropped when it is dead', async () => {
    const part = await halfSent(storeOf({ run: 'one', owner: 'one' }));
    const alive = storeOf({ run: 'two', owner: 'two', isDead: () => false });
    should(await alive.dropLeftOvers()).equal(0);
    should(await bucket.server.incompleteUploads()).eql(['calls/a.wav']);
    const asked: string[] = [];
    const later = storeOf({ run: 'three', owner: 'three', isDead: (owner) => asked.push(owner) > 0 });
    should(await later.dropLeftOvers()).equal(1);
    should(asked).eql(['one']);
    should(await bucket.server.incompleteUploads()).eql([]);
    await part.discard();
  });

  it('are dropped after a day even when it is unknown whether their process is alive', async () => {
    const part = await halfSent(storeOf({ run: 'one', owner: 'one' }));
    for (const { key, value } of [...bucket.uploadLog.range({})])
      await bucket.uploadLog.put(String(key), { ...value, at: Date.now() - 25 * 3_600_000 });
    should(await storeOf({ run: 'two', isDead: () => false }).dropLeftOvers()).equal(1);
    should(await bucket.server.incompleteUploads()).eql([]);
    await part.discard();
  });

  it('without an id are left alone while they are young: their first part may be in flight', async () => {
    bucket.server.fault = ({ name }) => (name === 'CreateMultipartUpload' ? 'lose-answer' : undefined);
    await should(halfSent(storeOf({ run: 'one' }))).be.rejected();
    bucket.server.fault = () => undefined;
    const begun = await bucket.server.incompleteUploads();
    should(begun).not.be.empty();
    should(await storeOf({ run: 'two' }).dropLeftOvers()).equal(0);
    should(await bucket.server.incompleteUploads()).eql(begun);
    should(bucket.uploadLog.count()).equal(1);
  });
});
