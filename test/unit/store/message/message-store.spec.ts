import { randomBytes } from 'node:crypto';
import should from 'should';
import { createMessageStore } from '../../../../src/store/message/message-store';
import { sha256 } from '../../../support/media';
import { publish, readAll } from '../folder/store-fixture';

describe('store/message-store', () => {
  it('passes on the bytes, and keeps none', async () => {
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

  it('is byte for byte what was written, in chunks of any size, whatever size was announced', async () => {
    const bytes = randomBytes(3_000_003);
    for (const size of [null, bytes.length, 1000, bytes.length + 1000]) {
      const part = await createMessageStore().openPart('a');
      await part.begin!({ name: 'x', contentType: 'audio/mpeg', size });
      for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 7 + 13) % 300_000)
        await part.write(bytes.subarray(at, at + step));
      should((await readAll(part)).equals(bytes)).be.true();
      const { content } = await publish(part, 'x', bytes);
      should(content!.equals(bytes)).be.true();
    }
  });

  it('yields while it checks a large file', async () => {
    const bytes = Buffer.alloc(8 * 1024 * 1024, 1);
    const part = await createMessageStore().openPart('a');
    await part.write(bytes);
    let turns = 0;
    let isChecking = true;
    const takeTurn = (): void => {
      turns += 1;
      if (isChecking) setImmediate(takeTurn);
    };
    const published = publish(part, 'x', bytes);
    setImmediate(takeTurn);
    await published;
    isChecking = false;
    should(turns).be.above(5);
  });

  it('names the settings that help, by their labels in the dialog', async () => {
    for (const [limit, text] of [
      [10, 'Raise "Largest file", or choose a folder or bucket under "Store in".'],
      [Number.MAX_SAFE_INTEGER, 'Choose a folder or bucket under "Store in".']
    ] as const) {
      const part = await createMessageStore(limit).openPart('a');
      const size = Number.MAX_SAFE_INTEGER;
      const refusal = part.begin!({ name: 'x', contentType: 'audio/mpeg', size });
      await refusal.should.be.rejectedWith({ code: 'TOO_LARGE' });
      const { message } = (await refusal.catch((error: unknown) => error)) as Error;
      should(message).endWith(text);
    }
  });

  it('does not exhaust memory', async () => {
    const part = await createMessageStore(10).openPart('a');
    await part.write(Buffer.alloc(10));
    await part.write(Buffer.alloc(1)).should.be.rejectedWith({ code: 'TOO_LARGE', retryable: false });
    should(part.size).equal(10);
  });

  it('rejects an announced size that does not fit before the first byte', async () => {
    const part = await createMessageStore(10).openPart('a');
    const ahead = { name: 'x.mp3', contentType: 'audio/mpeg' };
    await part.begin!({ ...ahead, size: 11 }).should.be.rejectedWith({ code: 'TOO_LARGE', retryable: false });
    for (const size of [10, null]) await part.begin!({ ...ahead, size });
  });

  it('is not affected by reused network buffers', async () => {
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
