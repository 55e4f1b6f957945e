import should from 'should';
import { isFlat, type Sample, slopeOf } from '../../../bench/soak/slope';
import { seededNumbers } from '../../support/seeded-numbers';

const MINUTE = 60_000;

/** An hour of samples, one a minute. */
function samples(value: (minute: number) => number): Sample[] {
  return Array.from({ length: 61 }, (_, minute) => ({
    at: 1_000_000 + minute * MINUTE,
    value: value(minute)
  }));
}

describe('the slope of a long run', () => {
  it('is the change of an hour, whatever noise there is', () => {
    const { perHour, error, middle } = slopeOf(samples((minute) => 100 + minute));
    should(perHour).be.approximately(60, 1e-6);
    should(error).be.approximately(0, 1e-6);
    should(middle).equal(130);
    const noise = seededNumbers(1);
    const noisy = slopeOf(samples((minute) => 100 + minute + noise.next().value * 20));
    should(Math.abs(noisy.perHour - 60)).be.below(3 * noisy.error);
  });

  it('is flat when the values only go up and down', () => {
    const noise = seededNumbers(2);
    should(isFlat(slopeOf(samples(() => 100 + noise.next().value * 20)), 1)).be.true();
    should(isFlat(slopeOf(samples((minute) => 200 - minute)), 1)).be.true();
  });

  it('is not flat when a tenth comes on top', () => {
    const noise = seededNumbers(3);
    should(isFlat(slopeOf(samples((minute) => 100 + minute / 6)), 1)).be.false();
    should(isFlat(slopeOf(samples((minute) => 100 + minute / 6 + noise.next().value * 5)), 1)).be.false();
  });

  it('needs three samples', () => {
    should(() => slopeOf(samples(() => 1).slice(0, 2))).throw(/Let the run take longer/);
  });
});
