import should from 'should';
import { type FailedRecording, FailedRecordings } from '../../../../src/archive/queue/failed-recordings';
import { jobFor, StateFixture } from '../state-fixture';

const DAY = 24 * 60 * 60 * 1000;

describe('FailedRecordings', () => {
  let state: StateFixture;
  let list: FailedRecordings;

  beforeEach(() => {
    state = new StateFixture();
    list = new FailedRecordings(state.database, state.now);
  });
  afterEach(() => state.remove());

  function entry(name: string, more: Partial<FailedRecording> = {}): FailedRecording {
    const { identity, details } = jobFor(name).reference;
    return {
      node: 'node',
      identity,
      at: state.time,
      code: 'GAVE_UP',
      message: 'Gave up after 9 attempts.',
      attempts: 9,
      details,
      ...more
    };
  }

  const names = (node?: string): (string | null)[] =>
    [...list.list(node)].map(({ details }) => details.recording_id).sort();

  it('lists each recording once per node, with the latest reason, until it is stored after all', async () => {
    await state.database.commit([list.entering(entry('a')), list.entering(entry('b'))]);
    await state.database.commit([
      list.entering(entry('a', { code: 'NOT_MEDIA' })),
      list.entering(entry('a', { node: 'other' }))
    ]);
    names('node').should.eql(['a', 'b']);
    names().should.eql(['a', 'a', 'b']);
    should([...list.list('node')].find(({ identity }) => identity === 'telnyx:a')?.code).equal('NOT_MEDIA');
    should(list.leaving('node', 'telnyx:unknown')).be.null();
    await state.database.commit([list.leaving('node', 'telnyx:a')!]);
    names('node').should.eql(['b']);
    names('other').should.eql(['a']);
  });

  it('forgets entries after 90 days', async () => {
    await state.database.commit([list.entering(entry('old'))]);
    state.time += 90 * DAY - 1;
    await state.database.commit([list.entering(entry('new'))]);
    names().should.eql(['new', 'old']);
    state.time += 1;
    names().should.eql(['new']);
    await list.sweep();
    state.time -= 1;
    names().should.eql(['new']);
  });

  it('keeps the latest 10,000', async function () {
    this.timeout(60_000);
    const changes = Array.from({ length: 10_020 }, (_value, index) =>
      list.entering(entry(String(index), { at: state.time + index }))
    );
    await state.database.commit(changes);
    await list.sweep();
    const left = names().map(Number);
    left.should.have.length(10_000);
    Math.min(...left).should.equal(20);
  });

  it('removes very many with few syncs, whatever their order', async function () {
    this.timeout(60_000);
    const count = 25_000;
    const changes = Array.from({ length: count }, (_value, index) =>
      // In the order of their keys, their times have none.
      list.entering(entry(String(index), { at: state.time + ((index * 7919) % count) }))
    );
    await state.database.commit(changes);
    const before = state.guarded;
    await list.sweep();
    const times = [...list.list()].map(({ at }) => at - state.time);
    times.should.have.length(10_000);
    Math.min(...times).should.equal(15_000);
    should(state.guarded - before).be.within(2, 120);
  });

  it('tells the latest ones, page by page, and takes one off the list', async () => {
    const changes = Array.from({ length: 700 }, (_value, index) =>
      list.entering(entry(String(index), { at: state.time - index, node: `node ${index % 3}` }))
    );
    await state.database.commit([...changes, list.entering(entry('old', { at: state.time - 90 * DAY }))]);
    const all = await list.newestFirst();
    should(all).have.length(700);
    const page = (skip: number, most: number) => list.some(all.slice(skip, skip + most));
    const shown = (recordings: Awaited<ReturnType<typeof page>>): (string | null)[] =>
      recordings.map(({ failed }) => failed.details.recording_id);
    should(shown(await page(0, 3))).deepEqual(['0', '1', '2']);
    should(shown(await page(698, 3))).deepEqual(['698', '699']);
    should(shown(await page(700, 3))).be.empty();
    const { id, failed } = (await page(0, 3))[1]!;
    should((await list.at(failed.node, id))?.identity).equal('telnyx:1');
    should(await list.at('node 0', id)).equal(undefined);
    await list.remove(failed.node, id);
    should(await list.at(failed.node, id)).equal(undefined);
    should(shown(await page(0, 3))).deepEqual(['0', '2']);
    should(shown(await list.some((await list.newestFirst()).slice(0, 2)))).deepEqual(['0', '2']);
  });
});
