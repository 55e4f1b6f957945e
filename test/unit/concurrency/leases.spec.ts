import { getEventListeners } from 'node:events';
import should from 'should';
import { LocalLeases } from '../../../src/concurrency/leases';
import { itKeepsLeases } from './leases-contract';

describe('LocalLeases', () => {
  itKeepsLeases(() => Promise.resolve({ leases: new LocalLeases(), remove: () => Promise.resolve() }));

  it('keeps nothing of work that has ended', async () => {
    const leases = new LocalLeases();
    const listening: number[] = [];
    for (let count = 0; count < 3; count += 1)
      await leases.run('list', 1000, (lost) => {
        lost.addEventListener('abort', () => undefined);
        return Promise.resolve(listening.push(getEventListeners(lost, 'abort').length));
      });
    should(listening).eql([1, 1, 1]);
  });
});
