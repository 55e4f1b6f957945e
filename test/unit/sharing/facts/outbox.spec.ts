import should from 'should';
import { Outbox } from '../../../../src/sharing/facts/outbox';
import { StateFixture } from '../../archive/state-fixture';

describe('Outbox', () => {
  let state: StateFixture;

  beforeEach(() => (state = new StateFixture()));
  afterEach(() => state.remove());

  it('keeps what two queues of one Node-RED have to tell in the same moment', async () => {
    const [one, other] = [new Outbox(state.database, state.now), new Outbox(state.database, state.now)];
    await state.database.commit([one.entering('a'), other.entering('b'), one.entering('c')]);
    should(one.untold('epoch', 0).untold.map(({ text }) => text)).eql(['a', 'b', 'c']);
    await state.reopen();
    const again = new Outbox(state.database, () => 0);
    await state.database.commit([again.entering('d')]);
    should(again.untold('epoch', 0).untold.map(({ text }) => text)).eql(['a', 'b', 'c', 'd']);
  });
});
