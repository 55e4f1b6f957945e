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
