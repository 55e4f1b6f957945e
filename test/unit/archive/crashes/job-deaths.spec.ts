import should from 'should';
import { countDeaths, crashPauseMs, proofMs } from '../../../../src/archive/crashes/crash-guard';
import type { JobMark } from '../../../../src/archive/crashes/under-way-file';

function mark(id: string, state: JobMark['state'], deaths = 0, alone = 0): JobMark {
  return { id, list: 'node', dueAt: 1, deaths, alone, state };
}

describe('countDeaths', () => {
  const counted = (...marks: JobMark[]) =>
    countDeaths(marks).map(({ id, deaths, alone, state }) => [id, deaths, alone, state].join(' '));

  it('counts one more for every running job, and one alone for the only job', () => {
    counted(mark('a', 'begun'), mark('b', 'begun', 1)).should.eql(['a 1 0 resting', 'b 2 0 resting']);
    counted(mark('a', 'begun', 2, 1)).should.eql(['a 3 2 resting']);
  });

  it('suspects the job that had only just started', () => {
    counted(mark('a', 'begun', 2), mark('b', 'proven'), mark('c', 'proven', 3, 1)).should.eql([
      'a 3 1 resting',
      'b 1 0 resting',
      'c 4 1 resting'
    ]);
  });

  it('does not count a crash alone for a job that had been running for a long time', () => {
    counted(mark('a', 'proven', 2)).should.eql(['a 3 0 resting']);
  });

  it('leaves jobs that were not running unchanged', () => {
    counted(mark('a', 'resting', 3, 2), mark('b', 'begun')).should.eql(['a 3 2 resting', 'b 1 1 resting']);
    should(countDeaths([])).eql([]);
  });
});

describe('how long others wait for a job', () => {
  it('is short for crashes that may be chance, and reaches an hour for others', () => {
    [2, 3, 4, 5, 6, 10].map(proofMs).should.eql([2000, 4000, 8000, 16_000, 30_000, 30_000]);
    [11, 12, 20, 1000].map(proofMs).should.eql([60_000, 120_000, 3_600_000, 3_600_000]);
    [0, 1].map(proofMs).should.eql([30_000, 30_000]);
  });

  it('gives growing pauses after three crashes alone', () => {
    [0, 2, 3, 4, 5].map(crashPauseMs).should.eql([0, 0, 10_000, 30_000, 0]);
  });
});
