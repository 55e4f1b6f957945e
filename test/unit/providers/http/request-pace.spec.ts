import should from 'should';
import { RequestPace } from '../../../../src/providers/http/request-pace';
import { THREE_HOURS_MS, withClockSet } from '../../../support/clock-set';

const never = new AbortController().signal;
/** So long that a busy machine does not take a whole span for something else. */
const SPAN_MS = 800;
/** Timers may be early by a millisecond for each timer. */
const EARLY_MS = 5;

describe('RequestPace', () => {
  it('passes as many requests as the limit allows, and the next one after the span', async () => {
    const pace = new RequestPace({ requests: 3, span: SPAN_MS });
    const begun = performance.now();
    const times: number[] = [];
    await Promise.all(
      Array.from({ length: 7 }, async () => {
        await pace.turn(never);
        times.push(performance.now() - begun);
      })
    );
    should(times[2]).be.below(SPAN_MS - EARLY_MS);
    for (const second of [times[3], times[5]])
      should(second).be.within(SPAN_MS - EARLY_MS, 2 * SPAN_MS - EARLY_MS);
    should(times[6]).be.within(2 * SPAN_MS - EARLY_MS, 3 * SPAN_MS);
  });

  it('passes all requests when they come slowly', async () => {
    let clock = 0;
    const pace = new RequestPace({ requests: 2, span: 1_000_000 }, () => clock);
    for (let count = 0; count < 5; count += 1) {
      await pace.turn(never);
      clock += 500_000;
    }
  });

  it('gives the turn of a caller that stopped waiting to the next one', async () => {
    const pace = new RequestPace({ requests: 1, span: 60 });
    const begun = performance.now();
    await pace.turn(never);
    const stop = new AbortController();
    const stopped = Array.from({ length: 100 }, () => pace.turn(stop.signal).catch(() => 'stopped'));
    const last = pace.turn(never);
    stop.abort(new Error('too late'));
    should(new Set(await Promise.all(stopped))).eql(new Set(['stopped']));
    await last;
    should(performance.now() - begun).be.within(50, 10_000);
  });

  for (const byMs of [-THREE_HOURS_MS, THREE_HOURS_MS]) {
    it(`waits for exactly the span when the clock moves by ${byMs / 3_600_000} hours`, async () => {
      const pace = new RequestPace({ requests: 1, span: 60 });
      await pace.turn(never);
      const begun = performance.now();
      await withClockSet(byMs, () => pace.turn(never));
      should(performance.now() - begun).be.within(50, 10_000);
    });
  }

  it('ends the wait when aborted', async () => {
    const pace = new RequestPace({ requests: 1, span: 1_000_000 });
    await pace.turn(never);
    const stop = new AbortController();
    const waiting = pace.turn(stop.signal);
    stop.abort(new Error('the node was stopped'));
    await waiting.should.be.rejectedWith('the node was stopped');
    await pace.turn(stop.signal).should.be.rejectedWith('the node was stopped');
  });
});
