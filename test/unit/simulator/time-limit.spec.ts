import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import should from 'should';
import { TimeLimit } from '../../../src/simulator/time-limit';

describe('a time limit', () => {
  it('fires when the time is over, even under garbage collection', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const collecting = setInterval(gc, 10);
    try {
      const over: Promise<unknown>[] = [];
      for (let n = 0; n < 20; n += 1) {
        // Only its own timer refers to the limit.
        const { signal } = new TimeLimit(100, new AbortController().signal);
        over.push(once(signal, 'abort'));
      }
      await Promise.all(over);
    } finally {
      clearInterval(collecting);
    }
  });

  it('tells whether the time or another signal ended it', async () => {
    const outer = new AbortController();
    const [short, long] = [new TimeLimit(1, outer.signal), new TimeLimit(60_000, outer.signal)];
    try {
      await once(short.signal, 'abort');
      should([short.over, long.over, long.signal.aborted]).deepEqual([true, false, false]);
      should((short.signal.reason as Error).name).equal('TimeoutError');
      outer.abort();
      should([long.over, long.signal.aborted, long.signal.reason]).deepEqual([
        false,
        true,
        outer.signal.reason
      ]);
    } finally {
      long.dispose();
    }
  });

  it('has fired from the start if the other signal has', () => {
    const limit = new TimeLimit(60_000, AbortSignal.abort());
    limit.dispose();
    should([limit.signal.aborted, limit.over]).deepEqual([true, false]);
  });

  it('does not fire after it is disposed', () => {
    const outer = new AbortController();
    const limit = new TimeLimit(60_000, outer.signal);
    limit.dispose();
    outer.abort();
    should(limit.signal.aborted).be.false();
  });
});
