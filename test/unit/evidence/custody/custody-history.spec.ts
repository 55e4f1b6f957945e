import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import should from 'should';
import { type RecordingHistory, historyOf } from '../../../../src/evidence/custody/custody-history';
import { NO_HASH, formatLine } from '../../../../src/evidence/custody/custody-line';
import { custodyFileName } from '../../../../src/evidence/custody/custody-reader';
import { CustodyFixture, DAY_MS, stored } from '../custody-fixture';

const WANTED = stored(1).recording!;

describe('the lines of one recording in the custody log', () => {
  let fixture: CustodyFixture;

  beforeEach(() => {
    fixture = new CustodyFixture();
  });
  afterEach(() => fixture.end());

  /** A file of the log with lines about other recordings, and about the wanted one at some numbers. */
  function file(number: number, lines: number, wanted: readonly number[]): string {
    const at = fixture.now + number * DAY_MS;
    const name = custodyFileName(number, at);
    mkdirSync(fixture.directory, { recursive: true });
    const bytes: Buffer[] = [];
    for (let seq = number * 1_000_000; bytes.length < lines; seq += 1) {
      const entry = stored(wanted.includes(bytes.length) ? 1 : 2 + (seq % 1000));
      bytes.push(formatLine(entry, { seq, at, prev: NO_HASH }));
    }
    writeFileSync(fixture.path(name), Buffer.concat(bytes));
    return name;
  }

  const look = (options: object = {}): Promise<RecordingHistory> =>
    historyOf(WANTED, { directory: fixture.directory, from: null, ...options });
  const seqs = ({ lines }: RecordingHistory): number[] => lines.map(({ seq }) => seq);

  it('are found in all files, latest first', async () => {
    await fixture.threeDays();
    const { lines, next } = await look();
    should(lines.map(({ event, recording }) => [event, recording])).deepEqual(
      Array.from({ length: 3 }, () => ['stored', WANTED])
    );
    should(lines[0]!.seq).be.above(lines[1]!.seq);
    should(next).be.null();
  });

  it('are found across the borders of blocks, and none twice', async () => {
    const wanted = Array.from({ length: 1000 }, (_value, at) => at * 9);
    file(1, 9000, wanted);
    file(2, 10, [9]);
    const found = await look({ mostLines: 5000 });
    should(seqs(found)).deepEqual([2_000_009, ...wanted.map((at) => 1_000_000 + at).reverse()]);
    should(found.next).be.null();
  });

  it('are none where there is no log, or none of them', async () => {
    should(await look()).deepEqual({ lines: [], next: null });
    file(1, 10, []);
    should(await look()).deepEqual({ lines: [], next: null });
  });

  it('are given in parts, and the search goes on where it was cut', async () => {
    file(1, 9000, [0, 5, 8999]);
    file(2, 9000, [100, 101, 102, 8000]);
    for (const limit of [{ mostLines: 2 }, { mostBytes: 1 }]) {
      const all: number[] = [];
      let parts = 0;
      for (let from: RecordingHistory['next'] = null; parts < 100; parts += 1) {
        const part = await look({ ...limit, from });
        all.push(...seqs(part));
        from = part.next;
        if (from === null) break;
      }
      should(all).deepEqual([2_008_000, 2_000_102, 2_000_101, 2_000_100, 1_008_999, 1_000_005, 1_000_000]);
      should(parts).be.above(2);
    }
  });

  it('are those that name it, whatever else is in the file', async () => {
    const name = file(1, 10, [3]);
    appendFileSync(fixture.path(name), `x"recording":"${WANTED}"\n${'"recording":'.repeat(300_000)}\n`);
    // Another recording whose details imitate the name; and a line that a crash has cut off.
    const imitation = { v: 1, seq: 5, at: '2026-11-30T12:00:00.000Z', event: 'stored', prev: NO_HASH };
    const details = JSON.stringify({ ...imitation, details: { recording: WANTED } });
    appendFileSync(fixture.path(name), `${details}\n{"v":1,"recording":"${WANTED}"`);
    should(await look()).match({ next: null, lines: [{ seq: 1_000_003 }] });
  });

  it('are found under the name that the log gives to a recording', async () => {
    const custody = await fixture.open();
    // A number that somebody may have dialled, for all that the log knows.
    await custody.append({ ...stored(1), recording: '11111111-2222-4333-8444-555555555555' });
    const { lines } = await historyOf('11111111-2222-4333-8444-555555555555', {
      directory: fixture.directory,
      from: null
    });
    should(lines).have.length(1);
  });

  it('survive positions from hell', async () => {
    const name = file(1, 10, [3]);
    for (const from of [
      { file: name, before: 1e15 },
      { file: '99999999-2026-01-01.jsonl', before: 7 }
    ])
      should((await look({ from })).lines).have.length(1);
    should((await look({ from: { file: name, before: 700 } })).lines).be.empty();
    should((await look({ from: { file: '00000000-2026-01-01.jsonl', before: 7 } })).lines).be.empty();
  });

  it('end with the request', async () => {
    file(1, 10, [3]);
    await look({ signal: AbortSignal.abort(new Error('gone')) }).should.be.rejectedWith('gone');
  });
});
