import should from 'should';
import { ClockGuard } from '../../../../src/evidence/custody/clock-guard';

const HOUR_MS = 60 * 60 * 1000;

describe('the clock guard', () => {
  let wall: number;
  let elapsed: number;

  beforeEach(() => {
    wall = Date.UTC(2026, 10, 30);
    elapsed = 1000;
  });

  function guard(lastLine?: number): ClockGuard {
    return new ClockGuard(
      () => wall,
      () => elapsed,
      lastLine
    );
  }

  function pass(hours: number): void {
    wall += hours * HOUR_MS;
    elapsed += hours * HOUR_MS;
  }

  it('believes a clock that runs', () => {
    const clock = guard(wall - HOUR_MS);
    pass(1000);
    should(clock.doubt()).equal(null);
  });

  it('doubts a time before the last line of the log', () => {
    const clock = guard(wall + 1);
    should(clock.doubt()).equal('before-last-line');
    pass(1);
    should(clock.doubt()).equal(null);
    clock.noteLine(wall + HOUR_MS);
    should(clock.doubt()).equal('before-last-line');
  });

  it('doubts a jump of more than two days, until another clock confirms it', () => {
    const clock = guard();
    wall += 48 * HOUR_MS;
    should(clock.doubt()).equal(null);
    wall += 1;
    should(clock.doubt()).equal('jumped');
    pass(100);
    should(clock.doubt()).equal('jumped');
    clock.noteDate(new Date(wall).toUTCString());
    should(clock.doubt()).equal(null);
  });

  it('doubts the clock of a machine that was off for long, in the same way', () => {
    const clock = guard(wall - 49 * HOUR_MS);
    should(clock.doubt()).equal('jumped');
    clock.noteLine(wall);
    should(clock.doubt()).equal('jumped');
    clock.noteDate(new Date(wall + 4 * 60_000).toUTCString());
    should(clock.doubt()).equal(null);
  });

  it('does not believe a wrong clock after a restart, because it has written lines', () => {
    const clock = guard(wall);
    wall += 1000 * HOUR_MS;
    clock.noteLine(wall);
    should(guard(clock.trusted).doubt()).equal('jumped');
    wall -= 1000 * HOUR_MS;
    should(guard(clock.trusted).doubt()).equal(null);
  });

  it('believes a clock that was put back when another one confirms it', () => {
    const clock = guard(wall + 1000 * HOUR_MS);
    should(clock.doubt()).equal('before-last-line');
    clock.noteDate(new Date(wall).toUTCString());
    should(clock.doubt()).equal(null);
    should(guard(clock.trusted).doubt()).equal(null);
  });

  describe('told the time by the servers of links', () => {
    const API = { name: 'api.example.com', mayConfirm: true };
    const SERVER = { name: 'files.example.com', mayConfirm: false };
    const at = (time: number): string => new Date(time).toUTCString();

    it('doubts what it believed, and believes nothing that it doubted', () => {
      const clock = guard();
      wall += 100 * HOUR_MS;
      clock.noteDate(at(wall), SERVER);
      should(clock.doubt()).equal('jumped');
      should(guard(wall + HOUR_MS).doubt()).equal('before-last-line');
      wall -= 100 * HOUR_MS;
      clock.noteDate(at(wall + HOUR_MS), SERVER);
      should(clock.doubt()).equal('differs-from-provider');
      clock.noteDate(at(wall), { ...SERVER, name: 'another' });
      should(clock.doubt()).equal('differs-from-provider');
      clock.noteDate(at(wall), SERVER);
      should(clock.doubt()).equal(null);
    });

    it('never believes one of them against an API', () => {
      const clock = guard();
      clock.noteDate(at(wall - HOUR_MS), API);
      clock.noteDate(at(wall), SERVER);
      should(clock.doubt()).equal('differs-from-provider');
      // Nor one API against another.
      clock.noteDate(at(wall), { ...API, name: 'other.example.com' });
      should(clock.doubt()).equal('differs-from-provider');
      clock.noteDate(at(wall), API);
      should(clock.doubt()).equal(null);
    });

    it('lets an API outweigh them while the clock runs on', () => {
      const clock = guard();
      clock.noteDate(at(wall - HOUR_MS), SERVER);
      clock.noteDate(at(wall), API);
      should(clock.doubt()).equal(null);
      pass(500);
      clock.noteDate(at(wall - HOUR_MS), SERVER);
      should(clock.doubt()).equal(null);
      wall += HOUR_MS;
      clock.noteDate(at(wall - HOUR_MS), SERVER);
      should(clock.doubt()).equal('differs-from-provider');
    });

    it('remembers few of them, and still doubts when there are many', () => {
      const clock = guard();
      for (let n = 0; n < 1000; n += 1) clock.noteDate(at(wall - HOUR_MS), { ...SERVER, name: `s${n}` });
      for (let n = 999; n >= 16; n -= 1) clock.noteDate(at(wall), { ...SERVER, name: `s${n}` });
      should(clock.doubt()).equal('differs-from-provider');
      for (let n = 0; n < 16; n += 1) clock.noteDate(at(wall), { ...SERVER, name: `s${n}` });
      should(clock.doubt()).equal(null);
    });
  });

  it('doubts a clock that is more than five minutes off that of a provider', () => {
    const clock = guard();
    clock.noteDate(new Date(wall - 301_000).toUTCString());
    should(clock.doubt()).equal('differs-from-provider');
    clock.noteDate('no date');
    clock.noteDate(undefined);
    should(clock.doubt()).equal('differs-from-provider');
    clock.noteDate(new Date(wall + 299_000).toUTCString());
    should(clock.doubt()).equal(null);
  });
});
