import { createHash } from 'node:crypto';
import fs, { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { systemFiles, type LogFiles } from '../../../../src/webhook/log/log-files';
import { until } from '../../../support/until';
import { delivery, EVERYTHING, idsOf, LogFixture, readAll } from './log-fixture';

const HEAD = 256;

describe('DeliveryLog', function () {
  let fixture: LogFixture;
  beforeEach(() => (fixture = new LogFixture()));
  afterEach(() => fixture.remove());

  const segments = () => readdirSync(fixture.directory).sort();

  it('gives back after a start what was appended, byte for byte', async () => {
    const { log } = fixture.open();
    const first = delivery('a', {
      rawBody: Buffer.from([0, 255, 10, 13]),
      query: 'a=1&b=%20',
      contentType: undefined
    });
    const answer = { status: 200, contentType: 'text/xml', body: Buffer.from('<Response/>') };
    const second = delivery('\ud800 half', { proof: null, answer, scope: 'node-b' });
    await log.writer.append(first);
    await log.writer.append(second);
    const { log: again, entries } = fixture.open();
    const told = entries.map((entry) => (entry.kind === 'delivery' ? entry.delivery : null));
    should(told).deepEqual([
      { ...first, sequence: 1 },
      { ...second, sequence: 2 }
    ]);
    should(await readAll(again)).deepEqual(told);
    should(fixture.said).deepEqual([]);
  });

  it('finds one delivery by its place', async () => {
    const { log } = fixture.open();
    const place = await log.writer.append(delivery('a'));
    const { log: again } = fixture.open();
    should(again.at(place)?.id).equal('a');
    should(again.at({ ...place, sequence: 7 })).equal(null);
    should(again.at({ ...place, segment: 99 })).equal(null);
  });

  it('reads little of a place that is made up', async () => {
    const { log } = fixture.open({ sizes: { first: 4 * 1024 * 1024, most: 4 * 1024 * 1024 } });
    const place = await log.writer.append(delivery('a'));
    const { readSync } = fs;
    let bytes = 0;
    fs.readSync = ((handle: number, into: Buffer, ...rest: [number, number, number]) => {
      const read = readSync(handle, into, ...rest);
      bytes += read;
      return read;
    }) as typeof readSync;
    try {
      for (const length of [4_000_000, 9_999_999_999, place.length + 1, place.length - 1, 1, 0])
        should(log.at({ ...place, length })).equal(null);
      for (const at of [0, place.at + 1, 1_000_000, 9_999_999_999])
        should(log.at({ ...place, at, length: 4_000_000 })).equal(null);
      should(bytes).be.below(1000);
      should(log.at(place)?.id).equal('a');
    } finally {
      fs.readSync = readSync;
    }
  });

  /** Notes which operations write and sync. */
  const noting = (calls: string[]): LogFiles => ({
    ...systemFiles,
    write: (handle, bytes, at) => (calls.push('write'), systemFiles.write(handle, bytes, at)),
    writeThrough: (handle, bytes, at) => (
      calls.push('write through'),
      systemFiles.writeThrough(handle, bytes, at)
    ),
    sync: (handle) => (calls.push('sync'), systemFiles.sync(handle))
  });

  it('writes and syncs a group in one operation', async () => {
    const calls: string[] = [];
    const files = noting(calls);
    const { log } = fixture.open({ files, sizes: { first: 65_536, most: 65_536 } });
    await log.writer.append(delivery('first'));
    calls.length = 0;
    const alone = log.writer.append(delivery('alone'));
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 20 }, (_, index) => log.writer.append(delivery(`together-${index}`)));
    await Promise.all([alone, ...others]);
    should(calls).deepEqual(['write through', 'write through']);
    should(await readAll(log)).have.length(22);
  });

  it('writes hand-overs after a moment, and syncs none for their own sake', async () => {
    const calls: string[] = [];
    const { log } = fixture.open({ files: noting(calls) });
    const { sequence } = await log.writer.append(delivery('a'));
    log.writer.handedOver(sequence);
    // A process that is killed at once leaves it to be handed over again.
    should(fixture.open().entries).have.length(1);
    await until('the hand-over', () => fixture.open().entries.length === 2 || undefined);
    const { sequence: next } = await log.writer.append(delivery('b'));
    // Writing the delivery through would leave the hand-over before it to the next power cut.
    should(calls).deepEqual(['write through', 'write', 'write', 'sync']);
    log.writer.handedOver(next);
    await log.writer.written();
    should(calls.slice(4)).deepEqual(['write through']);
    const { entries } = fixture.open();
    should(entries.map(({ kind }) => kind)).deepEqual(['delivery', 'handed-over', 'delivery', 'handed-over']);
    should(entries[1]).have.property('sequences', [sequence]);
    should(entries[3]).have.property('sequences', [next]);
  });

  it('chains its records by their hashes, over segments and starts', async () => {
    for (let start = 0; start < 3; start += 1) {
      const { log } = fixture.open();
      for (let count = 0; count < 12; count += 1) await log.writer.append(delivery(`${start}-${count}`));
      await log.close();
    }
    let previous = Buffer.alloc(32);
    let records = 0;
    for (const name of segments()) {
      const bytes = readFileSync(path.join(fixture.directory, name));
      if (bytes.readUInt32LE(HEAD) === 0) continue;
      should(bytes.subarray(64, 96)).deepEqual(previous);
      for (let at = HEAD; at + 68 <= bytes.length && bytes.readUInt32LE(at + 8) > 0;) {
        const record = bytes.subarray(at, at + bytes.readUInt32LE(at + 8));
        should(record.subarray(36, 68)).deepEqual(previous);
        should(record.readUInt32LE(20)).equal((records += 1));
        previous = createHash('sha256').update(record).digest();
        at += record.length;
      }
    }
    should(records).equal(36);
  });

  it('allocates its segments, and lets nobody else read them', async () => {
    const { log } = fixture.open();
    await log.writer.append(delivery('a'));
    const file = path.join(fixture.directory, '00000001.log');
    const { size, blocks, mode } = statSync(file);
    should(size).equal(4096);
    should(blocks * 512).be.aboveOrEqual(4096);
    should(mode & 0o777).equal(0o600);
    should(statSync(fixture.directory).mode & 0o777).equal(0o700);
    should(statSync(path.dirname(fixture.directory)).mode & 0o777).equal(0o700);
  });

  it('gives a body that is larger than a segment one of its own', async () => {
    const { log } = fixture.open();
    await log.writer.append(delivery('small'));
    await log.writer.append(delivery('large', { rawBody: Buffer.alloc(100_000, 'x') }));
    await log.writer.append(delivery('small again'));
    const { log: again } = fixture.open();
    should((await readAll(again)).map(({ id, rawBody }) => [id, rawBody.length > 1000])).deepEqual([
      ['small', false],
      ['large', true],
      ['small again', false]
    ]);
  });

  it('reports only what comes after the place that its caller knows', async () => {
    const { log } = fixture.open();
    for (const id of ['a', 'b', 'c']) await log.writer.append(delivery(id));
    const { durable: end } = log.writer;
    should(idsOf(fixture.open({ since: end }).entries)).deepEqual([]);
    for (let count = 0; count < 40; count += 1) await log.writer.append(delivery(`d${count}`));
    const { log: again, entries } = fixture.open({ since: end });
    should(idsOf(entries)).deepEqual(Array.from({ length: 40 }, (_, count) => `d${count}`));
    should((await again.writer.append(delivery('e'))).sequence).equal(44);
  });

  it('reports everything when the place belongs to another log', async () => {
    const { log } = fixture.open();
    for (const id of ['a', 'b', 'c']) await log.writer.append(delivery(id));
    const { durable: end } = log.writer;
    await log.writer.append(delivery('d'));
    for (const since of [
      { ...end, hash: Buffer.alloc(32, 1) },
      { ...end, segment: 9 },
      { ...end, at: 1e6 }
    ])
      should(idsOf(fixture.open({ since }).entries)).deepEqual(['a', 'b', 'c', 'd']);
  });

  it('never uses a sequence twice, even when its files are gone', async () => {
    const { log } = fixture.open();
    await log.writer.append(delivery('a'));
    const since = { ...log.writer.durable, sequence: 500 };
    const other = new LogFixture();
    const { log: again } = other.open({ since });
    should((await again.writer.append(delivery('b'))).sequence).equal(501);
    await other.remove();
  });

  it('reads a span of time, whatever order the clock gave the deliveries', async () => {
    const { log } = fixture.open();
    const times = Array.from({ length: 60 }, (_, index) => (index * 37) % 60);
    for (const receivedAt of times) await log.writer.append(delivery(String(receivedAt), { receivedAt }));
    const wanted = times.filter((time) => time >= 10 && time < 20).map(String);
    for (const each of [log, fixture.open().log, fixture.open({ since: log.writer.durable }).log])
      should((await readAll(each, { from: 10, to: 20 })).map(({ id }) => id)).deepEqual(wanted);
    should(await readAll(log, { from: 60, to: Infinity })).deepEqual([]);
  });

  it('reads while it is being written', async () => {
    const { log } = fixture.open();
    for (let count = 0; count < 300; count += 1) await log.writer.append(delivery(String(count)));
    const read: string[] = [];
    for await (const batch of log.read(EVERYTHING)) {
      read.push(...batch.map(({ id }) => id));
      await log.writer.append(delivery('more'));
    }
    should(read.slice(0, 300)).deepEqual(Array.from({ length: 300 }, (_, count) => String(count)));
    should(fixture.said).deepEqual([]);
  });

  it('leaves no empty segments behind, however often it is started', async () => {
    for (let start = 0; start < 5; start += 1) {
      const { log } = fixture.open();
      await log.writer.append(delivery(String(start)));
    }
    should(idsOf(fixture.open().entries)).have.length(5);
    const sizes = segments().map((name) => statSync(path.join(fixture.directory, name)).size);
    should(sizes).have.length(5);
    for (const size of sizes) should(size).be.below(1000);
  });

  describe('prune', () => {
    const none = () => false;

    it('removes whole segments whose deliveries are all too old', async () => {
      const { log } = fixture.open();
      for (let receivedAt = 0; receivedAt < 100; receivedAt += 1)
        await log.writer.append(delivery(String(receivedAt), { receivedAt }));
      await log.prune({ before: 50, isWanted: none });
      const left = (await readAll(log)).map(({ id }) => Number(id));
      should(left[0]).be.belowOrEqual(50).and.above(0);
      should(left).deepEqual(Array.from({ length: left.length }, (_, index) => 100 - left.length + index));
      should(idsOf(fixture.open().entries).map(Number)).deepEqual(left);
    });

    it('never removes what is wanted, nor what is being written', async () => {
      const { log } = fixture.open();
      for (let receivedAt = 0; receivedAt < 100; receivedAt += 1)
        await log.writer.append(delivery(String(receivedAt), { receivedAt }));
      await log.prune({ before: Infinity, isWanted: (first, end) => first <= 1 && 1 < end });
      should((await readAll(log))[0]).have.property('id', '0');
      should((await readAll(log)).at(-1)).have.property('id', '99');
      await log.prune({ before: Infinity, isWanted: none });
      const left = await readAll(log);
      should(left.at(-1)?.id).equal('99');
      should((await log.writer.append(delivery('more'))).sequence).equal(101);
      should((await readAll(log)).at(-1)?.id).equal('more');
    });

    it('names the oldest segment, and removes it when asked', async () => {
      const { log } = fixture.open();
      should(log.oldest(none)).equal(null);
      for (let receivedAt = 0; receivedAt < 100; receivedAt += 1)
        await log.writer.append(delivery(String(receivedAt), { receivedAt }));
      const before = log.size;
      const oldest = log.oldest(none);
      should(oldest?.number).equal(1);
      log.remove(oldest?.number ?? 0);
      should(log.size).equal(before - (oldest?.size ?? 0));
      should(log.oldest(none)?.number).equal(2);
    });
  });
});
