import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { DeliveryLog, Place } from '../../../../src/webhook/log/delivery-log';
import { encodeHeader, readHeader } from '../../../../src/webhook/log/segment-header';
import { delivery, idsOf, LogFixture, readAll, type ToldEntry } from './log-fixture';

const HEAD = 256;
const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** A log of two segments: `a`, `b`, `c` in the first, `d`, `e`, `f` in the second, which has room for more. */
async function write(fixture: LogFixture): Promise<Place[]> {
  const places: Place[] = [];
  for (const ids of [IDS.slice(0, 3), IDS.slice(3)]) {
    const { log } = fixture.open();
    for (const id of ids) places.push(await log.writer.append(delivery(id, { rawBody: Buffer.from(id) })));
    await log.close();
  }
  appendFileSync(path.join(fixture.directory, '00000002.log'), Buffer.alloc(300));
  return places;
}

describe('a damaged delivery log', function () {
  this.timeout(120_000);
  let fixture: LogFixture;
  let places: Place[];
  let untouched: Map<string, Buffer>;
  const file = (segment: number) => path.join(fixture.directory, `0000000${segment}.log`);

  beforeEach(async () => {
    fixture = new LogFixture();
    places = await write(fixture);
    const bytesOf = (name: string) => readFileSync(path.join(fixture.directory, name));
    untouched = new Map(readdirSync(fixture.directory).map((name) => [name, bytesOf(name)]));
  });
  afterEach(() => fixture.remove());

  /** Restores everything, then changes one file. */
  function damage(segment: number, change: (name: string) => void): void {
    for (const name of readdirSync(fixture.directory))
      if (!untouched.has(name)) rmSync(path.join(fixture.directory, name));
    for (const [name, bytes] of untouched) writeFileSync(path.join(fixture.directory, name), bytes);
    fixture.said.length = 0;
    change(file(segment));
  }

  function flip(name: string, at: number, bits: number): void {
    const bytes = readFileSync(name);
    bytes[at] = (bytes[at] ?? 0) ^ bits;
    writeFileSync(name, bytes);
  }

  /** Copies a segment as if it had been written with another number. */
  function renumber(from: string, to: string, number: number): void {
    const bytes = readFileSync(from);
    const head = readHeader(bytes.subarray(0, HEAD));
    if (head.kind === 'header') encodeHeader(bytes, { ...head.header, number });
    writeFileSync(to, bytes);
  }

  const asides = () => readdirSync(fixture.directory).filter((name) => name.endsWith('.damaged'));

  async function works(
    { log, entries }: { log: DeliveryLog; entries: ToldEntry[] },
    expected: string[]
  ): Promise<void> {
    should(idsOf(entries)).deepEqual(expected);
    await log.writer.append(delivery('new'));
    const all = [...expected, 'new'];
    should((await readAll(log)).map(({ id }) => id)).deepEqual(all);
    const again = fixture.open();
    should(idsOf(again.entries)).deepEqual(all);
  }

  for (const segment of [1, 2]) {
    it(`gives the whole records before and after, wherever segment ${segment} is cut`, async () => {
      const { length } = readFileSync(file(segment));
      for (let size = 0; size <= length; size += 1) {
        damage(segment, (name) => truncateSync(name, size));
        const lives = ({ segment: where, at, length: bytes }: Place) =>
          where !== segment || at + bytes <= size;
        const expected = IDS.filter((_, index) => lives(places[index] as Place));
        const opened = fixture.open();
        should(idsOf(opened.entries)).deepEqual(expected, `cut at ${size}`);
        // Writing is as slow as the disk, so this is not done each time.
        if (size % 197 === 0) await works(opened, expected);
      }
    });

    it(`gives all records but the one that is hit, wherever a byte of segment ${segment} is flipped`, async () => {
      const { length } = readFileSync(file(segment));
      for (let at = 0; at < length; at += 1) {
        damage(segment, (name) => flip(name, at, at % 3 === 0 ? 0xff : 1 << (at % 8)));
        const isHit = (place: Place) =>
          place.segment === segment && place.at <= at && at < place.at + place.length;
        const expected = IDS.filter((_, index) => !isHit(places[index] as Place));
        const opened = fixture.open();
        should(idsOf(opened.entries)).deepEqual(expected, `flipped at ${at}`);
        for (const entry of opened.entries)
          if (entry.kind === 'delivery') should(entry.delivery?.rawBody.toString()).equal(entry.delivery?.id);
        if (at % 197 === 0) await works(opened, expected);
      }
    });
  }

  it('sets a damaged middle aside, reports it once, and loses nothing else', async () => {
    const { at, length } = places[1] as Place;
    damage(1, (name) => flip(name, at + 100, 0xff));
    fixture.open();
    await works(fixture.open(), ['a', 'c', 'd', 'e', 'f']);
    should(asides()).deepEqual([`00000001-${at}.damaged`]);
    const aside = path.join(fixture.directory, `00000001-${at}.damaged`);
    const before = readFileSync(file(1)).subarray(at, at + length);
    should(readFileSync(aside)).deepEqual(before);
    should(fixture.said).have.length(1);
    should(fixture.said[0])
      .match(/delivery log is damaged/)
      .and.containEql(aside);
  });

  it('finds damage in the part that its caller already knows when that part is read', async () => {
    const { log } = fixture.open();
    const { durable: end } = log.writer;
    const { at } = places[1] as Place;
    damage(1, (name) => flip(name, at + 100, 0xff));
    const { log: again, entries } = fixture.open({ since: end });
    should(entries).deepEqual([]);
    should((await readAll(again)).map(({ id }) => id)).deepEqual(['a', 'c', 'd', 'e', 'f']);
    should(fixture.said).have.length(1);
  });

  it('believes no record that a sender has put into a body', async () => {
    const known = new LogFixture();
    const { log: other } = known.open();
    await other.writer.append(delivery('forged'));
    const forged = readFileSync(path.join(known.directory, '00000001.log')).subarray(HEAD);
    await known.remove();
    const { log } = fixture.open();
    const place = await log.writer.append(delivery('host', { rawBody: forged.subarray(0, 1000) }));
    await log.writer.append(delivery('after'));
    await log.close();
    flip(file(place.segment), place.at + 20, 0xff);
    should(idsOf(fixture.open().entries)).deepEqual([...IDS, 'after']);
  });

  it('takes what was half written when the power failed as the end', async () => {
    damage(2, (name) => {
      const bytes = readFileSync(name);
      writeFileSync(
        name,
        Buffer.concat([bytes.subarray(0, -300), bytes.subarray(HEAD, HEAD + 50), Buffer.alloc(2000)])
      );
    });
    await works(fixture.open(), IDS);
    const { at, length } = places[5] as Place;
    should(readFileSync(file(2)).length).equal(at + length);
  });

  it('leaves a segment of another version as it is, and says what to do', async () => {
    damage(1, (name) => {
      const bytes = readFileSync(name);
      for (const copy of [0, 128]) bytes.writeUInt32LE(7, copy + 8);
      writeFileSync(name, bytes);
    });
    const before = readFileSync(file(1));
    await works(fixture.open(), ['d', 'e', 'f']);
    should(readFileSync(file(1))).deepEqual(before);
    should(fixture.said[0])
      .match(/another version of this package \(format 7, this one has 1\)/)
      .and.match(/Install the version that wrote it/);
  });

  it('survives files that are not its own', async () => {
    damage(1, (name) => writeFileSync(name, 'not a log'));
    await works(fixture.open(), ['d', 'e', 'f']);
    damage(2, (name) => {
      writeFileSync(name, Buffer.alloc(5000, 0xaa));
      writeFileSync(path.join(fixture.directory, 'README'), 'hello');
    });
    await works(fixture.open(), ['a', 'b', 'c']);
  });

  it('ignores a record of an abandoned file when a later one has its sequence', async () => {
    // The sync failed and the sender was asked to try again, yet all of it was on disk.
    const { log } = fixture.open();
    const first = await log.writer.append(delivery('given up'));
    await log.close();
    const doubtful = readFileSync(file(first.segment));
    rmSync(file(first.segment));
    const { log: next } = fixture.open();
    await next.writer.append(delivery('instead'));
    await next.close();
    renumber(file(first.segment), file(first.segment + 1), first.segment + 1);
    writeFileSync(file(first.segment), doubtful);
    should(idsOf(fixture.open().entries)).deepEqual([...IDS, 'instead']);
  });
});
