import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import {
  DeliveryIdentities,
  LocalIdentities,
  REMEMBERED_MS
} from '../../../../src/webhook/journal/delivery-identities';
import { StateFixture } from '../../archive/state-fixture';
import { itKeepsIdentities } from './identities-contract';

describe('LocalIdentities', () => {
  itKeepsIdentities(() => {
    const state = new StateFixture();
    const known = new DeliveryIdentities(state.database, state.now);
    const identities = new LocalIdentities({
      find: (scope, id) => known.find(scope, id),
      remember: (scope, id, answer) => state.database.commit([known.putting(scope, id, answer)])
    });
    return Promise.resolve({
      identities,
      record: (scope, id, answer) => {
        known.add(scope, id, answer);
        return Promise.resolve();
      },
      aDayLater: () => (state.time += REMEMBERED_MS),
      remove: () => state.remove()
    });
  });

  it('claim nothing while the memory cannot be read', async () => {
    let isReadable = false;
    const identities = new LocalIdentities({
      find: () => {
        if (!isReadable) throw new CodedError('NOT_RECORDED', 'made up');
        return undefined;
      },
      remember: () => Promise.resolve()
    });
    (() => identities.claim('node', 'a')).should.throw({ code: 'NOT_RECORDED' });
    await identities.find('node', 'a').should.be.rejectedWith({ code: 'NOT_RECORDED' });
    isReadable = true;
    should(identities.claim('node', 'a').kind).equal('mine');
  });
});
