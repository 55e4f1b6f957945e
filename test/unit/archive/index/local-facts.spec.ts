import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import { itKeepsArchiveFacts } from '../facts-contract';
import { jobFor, StateFixture } from '../state-fixture';

describe('LocalFacts', () => {
  itKeepsArchiveFacts(() => {
    const state = new StateFixture();
    return Promise.resolve({
      facts: new LocalFacts(state.database),
      elsewhere: async () => {
        await state.reopen();
        return new LocalFacts(state.database);
      },
      commit: (changes) => state.database.commit(changes),
      remove: () => state.remove()
    });
  });

  it('applies all effects of a commit or none', async () => {
    const state = new StateFixture();
    try {
      const facts = new LocalFacts(state.database, state.now);
      const { identity, details } = jobFor('a').reference;
      const entry = {
        node: 'node',
        identity,
        at: state.time,
        code: 'GAVE_UP',
        message: '',
        attempts: 1,
        details
      };
      const broken = { ...NO_EFFECTS, givenUp: [entry], stored: [{ place: '/a', file: null as never }] };
      await facts.commit(broken).should.be.rejected();
      should([...facts.givenUp.list()]).be.empty();
    } finally {
      await state.remove();
    }
  });

  it('is settled when what flows were told of before is there as well', async () => {
    const state = new StateFixture();
    try {
      const facts = new LocalFacts(state.database, state.now);
      const { identity, details } = jobFor('a').reference;
      const common = { at: state.time, code: 'GAVE_UP', message: '', attempts: 1, details };
      let end: () => void = () => undefined;
      const work = new Promise<void>((resolve) => (end = resolve));
      facts.awaiting(work);
      void work.then(() => facts.commit({ ...NO_EFFECTS, givenUp: [{ ...common, node: 'node', identity }] }));
      const settled = facts.settled();
      should([...facts.givenUp.list()]).be.empty();
      end();
      await settled;
      should([...facts.givenUp.list()]).have.length(1);
    } finally {
      await state.remove();
    }
  });
});
