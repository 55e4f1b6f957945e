import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { listDaily, type DailyListOptions } from '../../../../src/providers/daily/recording-list';
import { IdSet } from '../../../../src/providers/daily/id-set';
import type { Ask } from '../../../../src/providers/http/patient-request';

const NOW = Date.UTC(2026, 2, 4);
const HOUR = 3_600_000;

/** `GET /recordings` in memory: newest first, after an id. */
class DailyShelf {
  ids: string[];
  pages = 0;
  /** Called before each page. */
  before: (page: number, cursor: string | undefined) => void = () => undefined;
  /** What the list returns after an unknown id. */
  lostAnswer: 'error' | 'nothing' | 'everything' = 'error';
  readonly #starts = new Map<string, number>();

  constructor(count: number, startOf = (index: number): number => NOW - index * HOUR) {
    this.ids = Array.from({ length: count }, (_value, index) => `daily-${index}`);
    this.ids.forEach((id, index) => this.#starts.set(id, startOf(index)));
  }

  readonly ask: Ask = ({ path, query = {} }) => {
    if (path.length > 1) {
      if (!this.ids.includes(path[1]!)) throw gone();
      return Promise.resolve({ id: path[1] });
    }
    const cursor = query['starting_after'];
    this.before(++this.pages, cursor);
    const at = cursor === undefined ? -1 : this.ids.indexOf(cursor);
    const isLost = cursor !== undefined && at === -1;
    if (isLost && this.lostAnswer === 'error') throw gone();
    const start = isLost && this.lostAnswer === 'nothing' ? this.ids.length : at + 1;
    const data = this.ids.slice(start, start + Number(query['limit'])).map((id) => ({
      id,
      status: 'finished',
      start_ts: this.#starts.get(id)! / 1000
    }));
    return Promise.resolve({ total_count: this.ids.length, data });
  };
}

function gone(): CodedError {
  return new CodedError('API_NOT_FOUND', 'There is no such recording.');
}

async function listed(shelf: DailyShelf, options: Partial<DailyListOptions> = {}): Promise<string[]> {
  const ids: string[] = [];
  const list = listDaily({ ask: shelf.ask, filter: {}, from: null, to: null, ...options });
  for await (const { items } of list) ids.push(...items.map(({ id }) => String(id)));
  return ids;
}

describe("listing Daily's recordings", () => {
  for (const count of [0, 1, 100, 101, 1234]) {
    it(`has each of ${count} once`, async () => {
      const shelf = new DailyShelf(count);
      should((await listed(shelf)).join()).equal(shelf.ids.join());
    });
  }

  for (const lostAnswer of ['error', 'nothing', 'everything'] as const) {
    it(`loses nothing when its position in the list is deleted and the server lists ${lostAnswer} after it`, async () => {
      const shelf = new DailyShelf(950);
      shelf.lostAnswer = lostAnswer;
      const all = shelf.ids.join();
      shelf.before = (page, cursor) => {
        if (page === 3 || page === 9) shelf.ids = shelf.ids.filter((id) => id !== cursor);
      };
      should((await listed(shelf)).join()).equal(all);
    });
  }

  it('loses nothing while everything it returned is deleted at the source', async () => {
    const shelf = new DailyShelf(950);
    const all = shelf.ids.join();
    const ids: string[] = [];
    for await (const { items } of listDaily({ ask: shelf.ask, filter: {}, from: null, to: null })) {
      const handed = items.map(({ id }) => String(id));
      ids.push(...handed);
      shelf.ids = shelf.ids.filter((id) => !handed.includes(id));
    }
    should(ids.join()).equal(all);
    shelf.pages.should.be.belowOrEqual(12);
  });

  it('leaves out recordings that are added while it reads', async () => {
    const shelf = new DailyShelf(250);
    const all = shelf.ids.join();
    shelf.before = (page) => {
      if (page === 2) shelf.ids.unshift('new');
    };
    should((await listed(shelf)).join()).equal(all);
  });

  it('gives up on a server that never advances, or whose list keeps changing', async () => {
    const stuck = new DailyShelf(300);
    const ask: Ask = (request) => stuck.ask({ ...request, query: { limit: '100' } });
    await listed(stuck, { ask }).should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });

    const restless = new DailyShelf(5000);
    restless.before = (_page, cursor) => (restless.ids = restless.ids.filter((id) => id !== cursor));
    await listed(restless).should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });
  });

  it('skips recordings that began outside the span, and stops soon after it', async () => {
    const shelf = new DailyShelf(5000);
    const ids = await listed(shelf, { from: NOW - 100 * HOUR, to: NOW - 20 * HOUR });
    should([ids[0], ids.at(-1), ids.length]).eql(['daily-20', 'daily-100', 81]);
    shelf.pages.should.be.below(10);
  });

  it('reads to the end when the list is not in chronological order', async () => {
    const shelf = new DailyShelf(1000, (index) => NOW - (1000 - index) * HOUR);
    (await listed(shelf, { from: NOW - 10 * HOUR })).should.have.length(10);
    const mixed = new DailyShelf(1000, (index) => NOW - ((index * 7919) % 1000) * HOUR);
    (await listed(mixed, { from: NOW - 10 * HOUR })).should.have.length(11);
  });

  it('passes on rejections of the API', async () => {
    const shelf = new DailyShelf(200);
    shelf.before = () => {
      throw new CodedError('API_UNAUTHORIZED', 'no');
    };
    await listed(shelf).should.be.rejectedWith({ code: 'API_UNAUTHORIZED' });
  });
});

describe('a set of ids', () => {
  it('stores each id in about 40 bytes', () => {
    const set = new IdSet();
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 0; index < 50_000; index += 1) should(set.add(`recording-${index}`)).be.true();
    for (let index = 0; index < 50_000; index += 7) should(set.add(`recording-${index}`)).be.false();
    set.size.should.equal(50_000);
    should(process.memoryUsage().arrayBuffers - before).be.below(16_000_000);
  });
});
