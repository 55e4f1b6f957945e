import should from 'should';
import { monotonicNow, steadyNow } from '../../../src/clock/clocks';
import { THREE_HOURS_MS, withClockSet } from '../../support/clock-set';

describe('clocks', () => {
  it('go on by themselves when the clock is set', async () => {
    for (const byMs of [-THREE_HOURS_MS, THREE_HOURS_MS]) {
      const [monotonic, steady] = [monotonicNow(), steadyNow()];
      await withClockSet(byMs, () => {
        should(monotonicNow() - monotonic).be.within(0, 1000);
        should(steadyNow() - steady).be.within(0, 1000);
      });
    }
  });

  it('tell the time of day as long as nobody sets it', () => {
    should(Math.abs(steadyNow() - Date.now())).be.below(1000);
    should(Number.isInteger(steadyNow())).be.true();
  });
});
