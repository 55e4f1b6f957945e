import should from 'should';
import { RequestPace } from '../../../src/api/request-pace';

const never = new AbortController().signal;

describe('RequestPace', () => {
  it('lets as many through as the limit says, and the next one after the span', async () => {
    const pace = new RequestPace({ requests: 3, span: 60 });
    const begun = performance.now();
    const times: number[] = [];
    await Promise.all(
      Array.from({ length: 7 }, async () => {
        await pace.turn(never);
        times.push(performance.now() - begun);
      })
    );
    should(times[2]).be.below(40);
    should(times[3]).be.within(55, 110);
    should(times[5]).be.within(55, 110);
    should(times[6]).be.within(115, 200);
  });

  it('lets all through when they come slowly', async () => {
    let clock = 0;
    const pace = new RequestPace({ requests: 2, span: 1_000_000 }, () => clock);
    for (let count = 0; count < 5; count += 1) {
      await pace.turn(never);
      clock += 500_000;
    }
  });

  it('ends the wait when it is told to', async () => {
    const pace = new RequestPace({ requests: 1, span: 1_000_000 });
    await pace.turn(never);
    const stop = new AbortController();
    const waiting = pace.turn(stop.signal);
    stop.abort(new Error('the node was stopped'));
    await waiting.should.be.rejectedWith('the node was stopped');
    await pace.turn(stop.signal).should.be.rejectedWith('the node was stopped');
  });
});
