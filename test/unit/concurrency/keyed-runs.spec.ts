import should from 'should';
import { CoalescedRuns } from '../../../src/concurrency/keyed-runs';

/** An action whose runs end when the test ends them. */
function steps(): { action: () => Promise<void>; ends: ((error?: Error) => void)[] } {
  const ends: ((error?: Error) => void)[] = [];
  const action = (): Promise<void> =>
    new Promise((resolve, reject) =>
      ends.push((error) => {
        if (error === undefined) resolve();
        else reject(error);
      })
    );
  return { action, ends };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('store/shared-runs', () => {
  it('gives each caller a run that starts after its call, and all waiting callers the same one', async () => {
    const runs = new CoalescedRuns();
    const { action, ends } = steps();
    const done: string[] = [];
    const ask = (name: string): Promise<void> => runs.run('a', action).then(() => void done.push(name));
    const first = ask('first');
    const others = [ask('second'), ask('third')];
    should(ends).have.length(1);
    ends[0]?.();
    await first;
    await turn();
    should(done).deepEqual(['first']);
    should(ends).have.length(2);
    const fourth = ask('fourth');
    ends[1]?.();
    await Promise.all(others);
    await turn();
    should(done).deepEqual(['first', 'second', 'third']);
    should(ends).have.length(3);
    ends[2]?.();
    await fourth;
    const later = ask('later');
    should(ends).have.length(4);
    ends[3]?.();
    await later;
  });

  it('reports a fault only to the callers of that run', async () => {
    const runs = new CoalescedRuns();
    const { action, ends } = steps();
    const first = runs.run('a', action);
    const second = runs.run('a', action);
    ends[0]?.(new Error('EIO'));
    await should(first).be.rejectedWith('EIO');
    await turn();
    ends[1]?.();
    await second;
  });

  it('never makes one key wait for another', () => {
    const runs = new CoalescedRuns();
    const { action, ends } = steps();
    void runs.run('a', action);
    void runs.run('b', action);
    should(ends).have.length(2);
  });
});
