import { execFileSync } from 'node:child_process';
import fs, {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { DeliveryLog, Place } from '../../../../src/webhook/log/delivery-log';
import { encodeHeader, readHeader } from '../../../../src/webhook/log/segment-header';
import { until } from '../../../support/until';
import { delivery, EVERYTHING, idsOf, LogFixture, readAll } from './log-fixture';

const HEAD = 256;
const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 4, 6, 12);

describe('a delivery log among odd files', function () {
  this.timeout(60_000);
  let fixture: LogFixture;
  beforeEach(() => (fixture = new LogFixture()));
  afterEach(() => fixture.remove());

  const file = (number: number): string =>
    path.join(fixture.directory, `${String(number).padStart(8, '0')}.log`);

  /** A segment for each list of ids; its deliveries come hour by hour. */
  async function write(...segments: string[][]): Promise<Place[]> {
    const places: Place[] = [];
    for (const ids of segments) {
      const { log } = fixture.open();
      for (const id of ids)
        places.push(await log.writer.append(delivery(id, { receivedAt: NOON + places.length * HOUR })));
      await log.close();
    }
    fixture.said.length = 0;
    return places;
  }

  async function gapsIn(log: DeliveryLog, span = EVERYTHING): Promise<{ ids: string[]; gaps: number }> {
    let gaps = 0;
    const ids: string[] = [];
    for await (const batch of log.read(span, () => (gaps += 1))) ids.push(...batch.map(({ id }) => id));
    return { ids, gaps };
  }

  const inTheWay: [string, (name: string) => void][] = [
    ['a directory', (name) => mkdirSync(name)],
    ['a pipe', (name) => execFileSync('mkfifo', [name])],
    ['a link that leads nowhere', (name) => symlinkSync(`${name}.gone`, name)],
    ['a link to itself', (name) => symlinkSync(name, name)]
  ];
  for (const [what, put] of inTheWay) {
    it(`names ${what} in the place of a segment, and works`, async () => {
      await write(['a'], ['b'], ['c']);
      rmSync(file(2));
      put(file(2));
      put(file(4));
      const { log, entries } = fixture.open();
      should(idsOf(entries)).deepEqual(['a', 'c']);
      should(fixture.said).have.length(2);
      should(fixture.said[0]).containEql(file(2));
      await log.writer.append(delivery('d'));
      await log.close();
      should(idsOf(fixture.open().entries)).deepEqual(['a', 'c', 'd']);
    });
  }

  for (const size of [0, 1, HEAD - 1, HEAD, HEAD + 1, HEAD + 7, HEAD + 8, 5000]) {
    it(`removes a segment of ${size} zeros`, async () => {
      await write(['a']);
      writeFileSync(file(2), Buffer.alloc(size));
      should(idsOf(fixture.open().entries)).deepEqual(['a']);
      should(existsSync(file(2))).be.false();
      should(fixture.said).be.empty();
    });
  }

  it('removes no segment whose beginning was lost, and reads the rest of it', async () => {
    const places = await write(['a'], ['b', 'c', 'd'], ['e']);
    const bytes = readFileSync(file(2));
    bytes.fill(0, 0, places[2]?.at);
    writeFileSync(file(2), bytes);
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'c', 'd', 'e']);
    should(fixture.said[0]).match(/is damaged/);
  });

  it('leaves a copy of a segment aside instead of letting it replace the others', async () => {
    await write(['a', 'b'], ['c', 'd']);
    cpSync(file(1), file(7));
    const { log, entries } = fixture.open();
    should(idsOf(entries)).deepEqual(['a', 'b', 'c', 'd']);
    should(fixture.said).have.length(1);
    should(fixture.said[0])
      .containEql(file(7))
      .and.containEql(file(1))
      .and.match(/copied or renamed/);
    await log.writer.append(delivery('e'));
    await log.close();
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('uses a renamed segment again when it has its name back', async () => {
    await write(['a'], ['b'], ['c']);
    renameSync(file(2), file(9));
    const { log, entries } = fixture.open();
    should(idsOf(entries)).deepEqual(['a', 'c']);
    await log.writer.append(delivery('d'));
    await log.close();
    renameSync(file(9), file(2));
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves a segment of another installation aside, and keeps all of its own', async () => {
    const other = new LogFixture();
    const { log: foreign } = other.open();
    await foreign.writer.append(delivery('foreign'));
    await foreign.close();
    await write(['a'], ['b']);
    const name = file(3);
    cpSync(path.join(other.directory, '00000001.log'), name);
    // As if it had been written with this number there.
    const bytes = readFileSync(name);
    const head = readHeader(bytes.subarray(0, HEAD));
    if (head.kind === 'header') encodeHeader(bytes, { ...head.header, number: 3 });
    writeFileSync(name, bytes);
    const { log, entries } = fixture.open();
    should(idsOf(entries)).deepEqual(['a', 'b']);
    should(fixture.said).have.length(1);
    should(fixture.said[0]).match(/belongs to another delivery log/);
    await log.writer.append(delivery('c'));
    await log.close();
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'b', 'c']);
    should(readFileSync(name)).deepEqual(bytes);
    await other.remove();
  });

  it('gives no sequence twice that a segment of another version may hold', async () => {
    const [, , last] = await write(['a'], ['b', 'c']);
    const before = readFileSync(file(2));
    const bytes = Buffer.from(before);
    for (const copy of [0, 128]) bytes.writeUInt32LE(7, copy + 8);
    writeFileSync(file(2), bytes);
    const { log } = fixture.open();
    should((await log.writer.append(delivery('d'))).sequence).be.above(last?.sequence ?? 0);
    await log.close();
    writeFileSync(file(2), before);
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'b', 'c', 'd']);
  });

  it('ignores a number that no log reaches', async () => {
    await write(['a']);
    writeFileSync(path.join(fixture.directory, '9007199254740991.log'), 'x');
    const { log } = fixture.open();
    should((await log.writer.append(delivery('b'))).segment).equal(2);
  });

  describe('of which a part is missing', () => {
    it('reads the rest, whatever times the missing part had, and says that there is a gap', async () => {
      await write(['a', 'b'], ['c', 'd'], ['e', 'f']);
      rmSync(file(2));
      const { log } = fixture.open();
      const since = log.writer.durable;
      should(await gapsIn(log)).deepEqual({ ids: ['a', 'b', 'e', 'f'], gaps: 1 });
      // Where the caller knows the end, only the heads of the segments are read at a start.
      const { log: again } = fixture.open({ since });
      should(await gapsIn(again)).deepEqual({ ids: ['a', 'b', 'e', 'f'], gaps: 1 });
      should(await gapsIn(again, { from: NOON, to: NOON + HOUR })).deepEqual({ ids: ['a'], gaps: 0 });
      should(await gapsIn(again, { from: NOON + 3 * HOUR, to: Infinity })).have.properties({ gaps: 1 });
      should(await gapsIn(again, { from: NOON + 4 * HOUR, to: Infinity })).deepEqual({
        ids: ['e', 'f'],
        gaps: 0
      });
    });

    it('says so when the beginning of a span is no longer kept', async () => {
      await write(['a', 'b'], ['c', 'd'], ['e', 'f']);
      rmSync(file(1));
      const { log } = fixture.open();
      should(await gapsIn(log, { from: NOON, to: Infinity })).have.properties({ gaps: 1 });
      should(await gapsIn(log, { from: NOON + 2 * HOUR, to: Infinity })).have.properties({ gaps: 0 });
      should(await gapsIn(log)).deepEqual({ ids: ['c', 'd', 'e', 'f'], gaps: 0 });
    });

    it('says so when a record is damaged, or a segment goes while it is read', async () => {
      const places = await write(['a', 'b', 'c'], ['d']);
      const bytes = readFileSync(file(1));
      bytes.writeUInt8(bytes.readUInt8((places[1]?.at ?? 0) + 100) ^ 0xff, (places[1]?.at ?? 0) + 100);
      writeFileSync(file(1), bytes);
      const { log } = fixture.open();
      should(await gapsIn(log)).deepEqual({ ids: ['a', 'c', 'd'], gaps: 1 });
      rmSync(file(2));
      should(await gapsIn(log)).deepEqual({ ids: ['a', 'c'], gaps: 2 });
    });
  });

  it('takes nothing that is being written for damage', async () => {
    const { log: first } = fixture.open();
    const { sequence } = await first.writer.append(delivery('a'));
    await first.close();
    const { log } = fixture.open();
    log.writer.handedOver(sequence);
    // The hand-over is written and not synced; then a part of a group arrives.
    await until('the hand-over', () => log.size > 4096 || undefined);
    const handle = fs.openSync(file(2), 'r+');
    fs.writeSync(handle, 'half a record', HEAD + 500);
    fs.closeSync(handle);
    should(await gapsIn(log)).deepEqual({ ids: ['a'], gaps: 0 });
    should(fixture.said).be.empty();
  });

  describe('on a disk with a bad sector', () => {
    const { readSync } = fs;
    const { open } = fs.promises;
    afterEach(() => {
      fs.readSync = readSync;
      fs.promises.open = open;
    });

    /** Reading any byte of a range fails. */
    function breakSector(begin: number, end: number): void {
      const fail = (): never => {
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      };
      fs.readSync = ((handle: number, bytes: Buffer, offset: number, length: number, at: number) =>
        at < end && at + length > begin
          ? fail()
          : readSync(handle, bytes, offset, length, at)) as typeof readSync;
      fs.promises.open = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
    }

    it('loses only the deliveries in it', async () => {
      const rawBody = Buffer.alloc(3000, 'x');
      const { log } = fixture.open({ sizes: { first: 65_536, most: 65_536 } });
      const expected: string[] = [];
      for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
        const { at, length } = await log.writer.append(delivery(id, { rawBody }));
        if (at >= 12_288 || at + length <= 8192) expected.push(id);
      }
      await log.close();
      breakSector(8192, 8200);
      const { entries, log: again } = fixture.open();
      should(expected).have.length(4);
      should(idsOf(entries)).deepEqual(expected);
      should(fixture.said[0]).match(/The disk cannot read 4096 bytes of .*00000001\.log/);
      should(await gapsIn(again)).deepEqual({ ids: expected, gaps: 1 });
    });

    it('removes and truncates nothing that it cannot read, and hides nothing for later', async () => {
      await write(['a'], ['b']);
      const before = readFileSync(file(2));
      breakSector(0, 1e9);
      const { log } = fixture.open();
      fs.readSync = readSync;
      fs.promises.open = open;
      should(readFileSync(file(2))).deepEqual(before);
      await log.writer.append(delivery('c'));
      await log.close();
      should((await readAll(fixture.open().log)).map(({ id }) => id)).deepEqual(['a', 'b', 'c']);
    });
  });

  describe('whose clock was wrong', () => {
    const none = () => false;
    const TEN_YEARS = 3650 * 24 * HOUR;

    async function writeAt(...times: number[]): Promise<DeliveryLog> {
      for (const [index, receivedAt] of times.entries()) {
        const { log } = fixture.open();
        await log.writer.append(delivery(String(index), { receivedAt }));
        await log.close();
      }
      return fixture.open().log;
    }
    const left = async (log: DeliveryLog) => (await readAll(log)).map(({ id }) => id);

    it('takes no delivery for older than those before it', async () => {
      const log = await writeAt(NOON, NOON - 24 * 7 * HOUR, NOON + HOUR);
      await log.prune({ now: NOON + 2 * HOUR, before: NOON - HOUR, isWanted: none });
      should(await left(log)).deepEqual(['0', '1', '2']);
      await log.prune({ now: NOON + 9 * HOUR, before: NOON + 1, isWanted: none });
      should(await left(log)).deepEqual(['2']);
    });

    it('does not keep a delivery from the future for years', async () => {
      const log = await writeAt(NOON, NOON + TEN_YEARS, NOON + HOUR, NOON + TEN_YEARS);
      await log.prune({ now: NOON + 9 * HOUR, before: NOON + 2 * HOUR, isWanted: none });
      // The next one says when the second was received at the latest; nothing says so of the last.
      should(await left(log)).deepEqual(['3']);
      await log.prune({ now: NOON + 9 * HOUR, before: Infinity, isWanted: none });
      should(await left(log)).deepEqual([]);
    });
  });

  it('tells again what was handed over when only an older segment stays', async () => {
    const outlived: [number, number][] = [];
    const places = await write(['a', 'b'], ['c'], ['d']);
    const { log } = fixture.open({ onOutlived: (first, end) => outlived.push([first, end]) });
    const { sequence } = places[0] as Place;
    await log.prune({ before: Infinity, isWanted: (first, end) => first <= sequence && sequence < end });
    should(outlived).deepEqual([[1, 3]]);
    should((await readAll(log)).map(({ id }) => id)).deepEqual(['a', 'b']);
  });

  it('lets others have a turn between two segments that it removes', async () => {
    await write(...Array.from({ length: 6 }, (_value, index) => [String(index)]));
    const { log } = fixture.open();
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    try {
      await log.prune({ before: Infinity, isWanted: () => false });
    } finally {
      isDone = true;
    }
    should(turns).be.aboveOrEqual(5);
    should(await readAll(log)).be.empty();
  });

  it('removes copies of damaged bytes when their segment is gone and they are old', async () => {
    const [place] = await write(['a'], ['b']);
    const bytes = readFileSync(file(2));
    bytes.writeUInt8(bytes.readUInt8(HEAD + 100) ^ 0xff, HEAD + 100);
    writeFileSync(file(2), bytes);
    const { log } = fixture.open();
    const aside = path.join(fixture.directory, `00000002-${HEAD}.damaged`);
    should(existsSync(aside)).be.true();
    should(existsSync(file(2))).be.false();
    await log.prune({ before: place?.sequence ?? 0, isWanted: () => true });
    should(existsSync(aside)).be.true();
    utimesSync(aside, 1, 1);
    await log.prune({ before: NOON, isWanted: () => true });
    should(existsSync(aside)).be.false();
  });
});
