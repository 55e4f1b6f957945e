import should from 'should';
import { keepObject } from '../../../../src/store/bucket/kept-object';
import type { BucketStore } from '../../../../src/store/bucket/bucket-store';
import { TestBucket } from './bucket-fixture';

describe('an object that is kept', () => {
  let store: BucketStore;

  beforeEach(async function () {
    store = (await TestBucket.create(this)).store();
  });
  afterEach(() => TestBucket.removeAll());

  it('is there below the prefix, may be kept again, and is never replaced', async () => {
    const name = '.telnyx-custody/a/00000001-2026-12-01.checkpoint.json';
    const bytes = Buffer.from('{"v":1}\n');
    await keepObject(store, name, bytes);
    await keepObject(store, name, bytes);
    const pieces: Uint8Array[] = [];
    for await (const piece of (await store.objects.read(`calls/${name}`)).bytes) pieces.push(piece);
    should(Buffer.concat(pieces).toString()).equal('{"v":1}\n');
    for (const other of ['{"v":2}\n', '{"v":1}\n more', 'x'])
      await should(keepObject(store, name, Buffer.from(other))).be.rejectedWith({ code: 'STORE_FAILED' });
  });
});
