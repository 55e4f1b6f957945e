import should from 'should';
import { CautiousClock } from '../../../src/clock/cautious-clock';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 4, 6, 7);

describe('CautiousClock', () => {
  let wall: number;
  let elapsed: number;
  let clock: CautiousClock;
  beforeEach(() => {
    wall = START;
    elapsed = 1000;
    clock = new CautiousClock(
      () => wall,
      () => elapsed
    );
  });

  /** Time passes, for both clocks. */
  function pass(ms: number): void {
    for (let left = ms; left > 0; left -= HOUR) {
      wall += Math.min(left, HOUR);
      elapsed += Math.min(left, HOUR);
      clock.now();
    }
  }

  it('follows the clock', () => {
    pass(40 * DAY);
    should(clock.now()).equal(START + 40 * DAY);
    wall -= 7 * DAY;
    should(clock.now()).equal(START + 33 * DAY);
  });

  it('believes a jump forward only when it has lasted for a day', () => {
    wall += 3650 * DAY;
    clock.now();
    pass(23 * HOUR);
    should(clock.now()).equal(START + 23 * HOUR);
    pass(HOUR);
    should(clock.now()).equal(START + 3651 * DAY);
  });

  it('never believes a wrong clock that is set right within a day', () => {
    wall += 3650 * DAY;
    clock.now();
    pass(20 * HOUR);
    wall -= 3650 * DAY;
    pass(20 * HOUR);
    should(clock.now()).equal(START + 40 * HOUR);
  });

  it('begins its doubt again when the clock is set again', () => {
    wall += 3650 * DAY;
    clock.now();
    pass(20 * HOUR);
    wall += 3650 * DAY;
    clock.now();
    pass(20 * HOUR);
    should(clock.now()).equal(START + 40 * HOUR);
    pass(4 * HOUR);
    should(clock.now()).be.above(START + 7000 * DAY);
  });

  it('believes what is proven', () => {
    wall += 30 * DAY;
    should(clock.now()).equal(START);
    clock.prove(START + 30 * DAY);
    should(clock.now()).equal(START + 30 * DAY);
    clock.prove(NaN);
    clock.prove(START);
    should(clock.now()).equal(START + 30 * DAY);
  });

  it('begins with what is certain, and takes a later time for a jump', () => {
    clock.begin(START - 30 * DAY);
    clock.begin(NaN);
    clock.begin(-Infinity);
    should(clock.now()).equal(START - 30 * DAY);
    pass(DAY);
    should(clock.now()).equal(START + DAY);
  });
});
