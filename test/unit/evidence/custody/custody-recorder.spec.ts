import should from 'should';
import type { Custody, CustodyOptions } from '../../../../src/evidence/custody/custody';
import type { CustodyLine } from '../../../../src/evidence/custody/custody-line';
import { readCustodyFile } from '../../../../src/evidence/custody/custody-reader';
import {
  CustodyRecorder,
  type CustodyRecorderOptions
} from '../../../../src/evidence/custody/custody-recorder';
import { custodyLinesIn } from '../../../support/custody-lines';
import { until } from '../../../support/until';
import { CustodyFixture, DAY_MS, stored } from '../custody-fixture';

describe('CustodyRecorder', () => {
  let fixture: CustodyFixture;
  let told: string[];
  let isFull: boolean;

  beforeEach(() => {
    fixture = new CustodyFixture();
    told = [];
    isFull = false;
  });

  afterEach(() => fixture.end());

  function recorder(
    more: Partial<CustodyRecorderOptions> = {},
    custody: Partial<CustodyOptions> = {}
  ): CustodyRecorder {
    // One of an earlier test may still look for days that have ended.
    const said = told;
    return new CustodyRecorder({
      open: () => fixture.open({ sync: fullOr, ...custody }),
      log: (text) => said.push(text),
      ...{ lagMs: 5, retryMs: 20, now: () => fixture.now },
      ...more
    });
  }

  /** A disk that may be full: the bytes are not durable, and the caller is told. */
  function fullOr(): Promise<void> {
    return isFull ? Promise.reject(new Error('ENOSPC: no space left on device')) : Promise.resolve();
  }

  function lines(): CustodyLine[] {
    return custodyLinesIn(fixture.directory);
  }

  function events(): string[] {
    return lines().map(({ event }) => event);
  }

  it('writes what was recorded without anybody waiting for it', async () => {
    recorder().record(stored(1));
    await until('the line is there', () => events().includes('stored'));
    should(events()).eql(['opened', 'start', 'stored']);
  });

  it('opens nothing before the first line', () => {
    const made = recorder();
    should(made.isRunning).be.false();
    should(fixture.files.bind(fixture)).throw(/ENOENT/);
  });

  it('says when the first node begins, and when the last one has ended, with all lines before that', async () => {
    const made = recorder({ lagMs: 60_000 });
    const [leave, leaveToo] = [made.join(), made.join()];
    made.record(stored(1));
    await leave();
    await leave();
    should(events()).eql(['opened', 'start', 'stored']);
    should(made.isRunning).be.true();
    await leaveToo();
    should(made.isRunning).be.false();
    await made.join()();
    should(events()).eql(['opened', 'start', 'stored', 'stop', 'start', 'stop']);
  });

  it('has the line on disk when "recorded" resolves', async () => {
    await recorder({ lagMs: 60_000 }).recorded([stored(1), stored(2)]);
    should(events()).eql(['opened', 'start', 'stored', 'stored']);
  });

  it('keeps lines while the disk is full, says so once, and writes them later with the time at which they happened', async () => {
    const made = recorder();
    await made.recorded([stored(1)]);
    isFull = true;
    await made.recorded([stored(2)]);
    made.record(stored(3));
    await made.settled();
    await should(made.append(stored(4))).be.rejectedWith(/no space left/);
    should(told).have.length(1);
    should(told[0]).match(/cannot be written: ENOSPC.*still stored.*nothing is deleted/s);
    const happened = new Date(fixture.now).toISOString();
    fixture.now += 60_000;
    isFull = false;
    await until('they are written', () => events().length === 5);
    should(
      lines()
        .slice(-2)
        .map(({ details }) => details['happened_at'])
    ).eql([happened, happened]);
    should(told.slice(1)).eql(['The custody log is written again.']);
  });

  it('keeps no more lines than it may, and the log tells how many are lost', async () => {
    const made = recorder({ most: 3 });
    await made.recorded([stored(1)]);
    isFull = true;
    for (let number = 0; number < 10; number += 1) await made.recorded([stored(number)]);
    isFull = false;
    await until('the rest is written', () => events().includes('gap'));
    should(events().filter((event) => event === 'stored')).have.length(4);
    should(lines().at(-1)?.details).have.property('lines', 7);
  });

  it('tries again to open a log, and loses nothing meanwhile', async () => {
    let attempts = 0;
    const made = recorder({
      open: (): Promise<Custody> => {
        attempts += 1;
        return attempts < 3 ? Promise.reject(new Error('EACCES: not now')) : fixture.open();
      }
    });
    const leave = made.join();
    made.record(stored(1));
    await until('it is open', () => attempts >= 3);
    await leave();
    should(events()).eql(['opened', 'start', 'stored', 'stop']);
    should(told.filter((text) => text.includes('EACCES'))).have.length(1);
  });

  it('signs a day that has ended, and stops to look when the last node has ended', async () => {
    const made = recorder({ dailyMs: 5 });
    const leave = made.join();
    await made.recorded([stored(1)]);
    fixture.now += DAY_MS;
    await until('it is signed', () => fixture.files('.checkpoint.json').length === 1);
    await leave();
    fixture.now += DAY_MS;
    await made.recorded([stored(2)]);
    should(fixture.files('.checkpoint.json')).have.length(1);
  });

  it('says once what keeps it from signing', async () => {
    const stamp = (): Promise<never> => Promise.reject(new Error('nobody stamps today'));
    const open = (): Promise<Custody> =>
      fixture.open({ anchor: { stamp, missing: () => Promise.reject(new Error('nobody stamps today')) } });
    let looks = 0;
    const made = recorder({ open: () => open().finally(() => (looks += 1)), dailyMs: 2 });
    const leave = made.join();
    await until('it was said', () => told.length > 0);
    await made.recorded([stored(1)]);
    await leave();
    should(told).have.length(1);
    should(told[0]).match(/nobody stamps today/);
    should(looks).equal(1);
  });

  it('writes a chain that holds, from many callers at once', async () => {
    const made = recorder();
    for (let number = 0; number < 1200; number += 1) made.record(stored(number));
    await Promise.all([made.recorded([stored(1)]), made.settled()]);
    should(lines().map(({ seq }) => seq)).eql(lines().map((_, at) => at + 1));
    const [file = ''] = fixture.files('.jsonl');
    const { faults } = await readCustodyFile(file, { directory: fixture.directory, after: null });
    should(faults).eql([]);
  });
});
