import should from 'should';
import { NO_TOTALS, QUARTER_MS, type Totals } from '../../../src/activity/activity';
import { DayCounts } from '../../../src/activity/day-counts';
import { StateFixture } from '../archive/state-fixture';

const HOUR = 4 * QUARTER_MS;

describe('the counts of a day', () => {
  let state: StateFixture;
  let counts: DayCounts;

  beforeEach(() => {
    state = new StateFixture();
    counts = new DayCounts(state.now);
  });
  afterEach(() => state.remove());

  const saved = () => state.database.collection<Totals>('activity-counts');
  const totals = (some: Partial<Totals>): Totals => ({ ...NO_TOTALS, ...some });
  const accepted = (of = counts): [hours: number, count: number][] =>
    of.quarters().map(({ from, accepted: count }) => [(from - state.time) / HOUR, count]);

  it('enters what was added since the last sample, into the quarter of an hour in which it is taken', () => {
    counts.sample(totals({ accepted: 3, bytes: 1000 }));
    counts.sample(totals({ accepted: 5, bytes: 1000 }));
    state.time += QUARTER_MS;
    counts.sample(totals({ accepted: 6, bytes: 1500, refused: 1 }));
    should(counts.quarters()).deepEqual([
      { from: state.time - QUARTER_MS, ...totals({ accepted: 5, bytes: 1000 }) },
      { from: state.time, ...totals({ accepted: 1, bytes: 500, refused: 1 }) }
    ]);
  });

  it('makes nothing of quarters in which nothing happened', () => {
    counts.sample(totals({}));
    should(counts.quarters()).be.empty();
  });

  it('forgets what is older than a day, also when the clock jumps', () => {
    counts.sample(totals({ accepted: 1 }));
    state.time += 26 * HOUR;
    counts.sample(totals({ accepted: 3 }));
    should(accepted()).deepEqual([[0, 2]]);
    state.time -= 27 * HOUR;
    // What comes later than now is the fault of a clock.
    should(counts.quarters()).be.empty();
  });

  it('knows what earlier processes counted, once', async () => {
    counts.load(saved());
    counts.sample(totals({ accepted: 2 }));
    await state.database.commit(counts.changes(saved()));
    should(counts.changes(saved())).be.empty();

    const later = new DayCounts(state.now);
    later.sample(totals({ accepted: 1 }));
    for (let times = 0; times < 2; times += 1) later.load(saved());
    should(accepted(later)).deepEqual([[0, 3]]);
    await state.database.commit(later.changes(saved()));
    const last = new DayCounts(state.now);
    last.load(saved());
    should(accepted(last)).deepEqual([[0, 3]]);
  });

  it('writes nothing before it knows what is there, or it would be lost', async () => {
    counts.load(saved());
    counts.sample(totals({ accepted: 2 }));
    await state.database.commit(counts.changes(saved()));
    const later = new DayCounts(state.now);
    later.sample(totals({ accepted: 1 }));
    should(later.changes(saved())).be.empty();
    later.load(saved());
    should(later.changes(saved())).have.length(1);
  });

  it('removes from the state what nobody is shown any more', async () => {
    counts.load(saved());
    counts.sample(totals({ accepted: 1 }));
    await state.database.commit(counts.changes(saved()));
    state.time += 50 * HOUR;
    counts.sample(totals({ accepted: 2 }));
    await state.database.commit(counts.changes(saved()));
    should([...saved().keys({})]).deepEqual([Math.floor(state.time / QUARTER_MS)]);
  });
});
