import should from 'should';
import { createMessageStore } from '../../../src/store/message-store';
import { sha256 } from '../../support/media';
import { publish, readAll } from './store-fixture';

describe('store/message-store', () => {
  it('hands the bytes over, and keeps none', async () => {
    const bytes = Buffer.from('the recording');
    const part = await createMessageStore(bytes.length).openPart('a');
    await part.write(bytes.subarray(0, 4));
    await part.write(bytes.subarray(4));
    should(part.size).equal(bytes.length);
    should((await readAll(part)).equals(bytes)).be.true();
    const published = await publish(part, 'x.mp3', bytes);
    should(published).have.properties({ location: null, alreadyStored: false });
    should(sha256(published.content!)).equal(sha256(bytes));
    should(part.size).equal(0);
  });

  it('does not fill the memory', async () => {
    const part = await createMessageStore(10).openPart('a');
    await part.write(Buffer.alloc(10));
    await part.write(Buffer.alloc(1)).should.be.rejectedWith({ code: 'TOO_LARGE', retryable: false });
    should(part.size).equal(10);
  });

  it('refuses an announced size that does not fit before the first byte', async () => {
    const part = await createMessageStore(10).openPart('a');
    const ahead = { name: 'x.mp3', contentType: 'audio/mpeg' };
    await part.begin!({ ...ahead, size: 11 }).should.be.rejectedWith({ code: 'TOO_LARGE', retryable: false });
    for (const size of [10, null]) await part.begin!({ ...ahead, size });
  });

  it('is not fooled by network buffers that are used again', async () => {
    const buffer = Buffer.from('first');
    const part = await createMessageStore().openPart('a');
    await part.write(buffer);
    buffer.write('other');
    should((await readAll(part)).toString()).equal('first');
    await publish(part, 'x', Buffer.from('other')).should.be.rejectedWith({ code: 'STORE_FAILED' });
  });

  it('forgets', async () => {
    for (const forget of ['restart', 'suspend', 'discard'] as const) {
      const part = await createMessageStore().openPart('a');
      await part.write(Buffer.from('x'));
      await part[forget]();
      should(part.size).equal(0);
    }
  });
});
