import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { CoveredSpans } from '../../../../src/evidence/certificate/covered-spans';
import { ListRuns } from '../../../../src/evidence/certificate/list-runs';
import { daysOf, monthBefore, monthPeriod } from '../../../../src/evidence/certificate/period';
import { RecordingSet } from '../../../../src/evidence/certificate/recording-set';
import { StateDatabase } from '../../../../src/state/state-database';
import { listRun } from './certificate-fixture';

describe('the parts of a certificate', () => {
  it('take months and days in UTC, with leap years and without summer time', () => {
    should(daysOf(monthPeriod('2028-02'))).have.length(29);
    should(daysOf(monthPeriod('2027-02'))).have.length(28);
    // In Europe and America the clocks change in these months.
    for (const month of ['2026-03', '2026-10', '2026-11'])
      for (const { from, to } of daysOf(monthPeriod(month))) should(to - from).equal(86_400_000);
    should(monthBefore(monthPeriod('2027-01')).name).equal('2026-12');
    should(daysOf(monthPeriod('2026-12')).at(-1)).have.properties({
      name: '2026-12-31',
      to: Date.UTC(2027, 0)
    });
  });

  it('find what spans leave open, in any order', () => {
    const covered = new CoveredSpans({ from: 0, to: 100 });
    for (const [from, to] of [
      [50, 60],
      [-10, 5],
      [20, 30],
      [29, 50],
      [70, NaN],
      [80, 75],
      [90, 1000]
    ] as const)
      covered.add({ from, to });
    should(covered.gaps()).eql([
      { from: 5, to: 20 },
      { from: 60, to: 90 }
    ]);
    covered.add({ from: -Infinity, to: Infinity });
    should(covered.gaps()).eql([]);
  });

  it('know which recordings were seen', () => {
    const seen = new RecordingSet();
    for (let at = 0; at < 20_000; at += 1) should(seen.add(`recording ${at}`)).equal(true);
    for (let at = 0; at < 20_000; at += 1) should(seen.add(`recording ${at}`)).equal(false);
    should(seen.size).equal(20_000);
  });
});

describe('the runs of recording lists', () => {
  let directory: string;
  let database: StateDatabase;
  let runs: ListRuns;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'list-runs-'));
    database = new StateDatabase(directory);
    runs = new ListRuns(database);
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function months(): string[] {
    const found = [...runs.endedFrom(0)].map(({ endedAt }) => new Date(endedAt).toISOString().slice(0, 7));
    return [...new Set(found)];
  }

  it('are found by the time of their end', async () => {
    for (const endedAt of [Date.UTC(2026, 10, 30), Date.UTC(2026, 9, 1), Date.UTC(2026, 11, 1)])
      await runs.note(listRun({ endedAt }));
    const found = [...runs.endedFrom(Date.UTC(2026, 10))].map(({ endedAt }) => endedAt);
    should(found).eql([Date.UTC(2026, 10, 30), Date.UTC(2026, 11, 1)]);
  });

  it('are forgotten after fourteen months', async () => {
    for (let month = 0; month < 20; month += 1)
      for (const day of [1, 2]) await runs.note(listRun({ endedAt: Date.UTC(2025, month, day) }));
    should(months()).have.length(15);
    should(months()[0]).equal('2025-06');
    should([...runs.endedFrom(0)]).have.length(30);
  });

  it('stay when the clock is years off', async () => {
    for (let month = 0; month < 12; month += 1)
      await runs.note(listRun({ endedAt: Date.UTC(2026, month, 3) }));
    for (let day = 1; day < 20; day += 1) await runs.note(listRun({ endedAt: Date.UTC(2036, 0, day) }));
    should(months()).have.length(13);
    should(months()[0]).equal('2026-01');
  });
});
