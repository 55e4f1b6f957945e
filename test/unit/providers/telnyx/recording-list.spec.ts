import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { ListedBatch } from '../../../../src/providers/provider';
import { type TelnyxListOptions, listTelnyx } from '../../../../src/providers/telnyx/recording-list';
import { TRANSCRIPTIONS } from '../../../../src/providers/telnyx/transcription-list';
import { TelnyxShelf } from './telnyx-shelf';

const NOW = Date.UTC(2026, 2, 4);
const DAY = 86_400_000;
const never = new AbortController().signal;

describe("listing Telnyx's recordings", () => {
  async function batchesOf(
    shelf: TelnyxShelf,
    options: Partial<TelnyxListOptions> = {},
    onBatch: (batch: ListedBatch) => void = () => undefined
  ): Promise<ListedBatch[]> {
    const batches: ListedBatch[] = [];
    const list = listTelnyx({ ask: shelf.ask, filter: {}, from: null, to: NOW, signal: never, ...options });
    for await (const batch of list) {
      batches.push(batch);
      onBatch(batch);
    }
    return batches;
  }

  function ids(batches: ListedBatch[]): string[] {
    return batches.flatMap(({ items }) => items.map(({ id }) => String(id)));
  }

  /** Every recording exactly once, in windows from the oldest on. */
  function checkWhole(batches: ListedBatch[], shelf: TelnyxShelf): void {
    const listed = ids(batches);
    new Set(listed).size.should.equal(listed.length);
    const wanted = new Set(shelf.recordings.map(({ id }) => id));
    const all = new Set(listed);
    const missing = [...wanted].filter((id) => !all.has(id));
    should([missing, listed.filter((id) => !wanted.has(id))]).eql([[], []]);
    batches.every(({ gap }) => gap === null).should.be.true();
  }

  it('returns each recording once, a few at a time, however they are spread over time', async () => {
    for (const createdAt of [
      (index: number) => NOW - index * 3_000_000,
      (index: number) => NOW - Math.floor(index ** 2.2 * 100),
      (index: number) => NOW - 400 * DAY - (index % 1000) * 5000,
      (index: number) => NOW - index * 211
    ]) {
      const shelf = new TelnyxShelf(20_000, createdAt);
      const batches = await batchesOf(shelf, { largestWindow: 500 });
      checkWhole(batches, shelf);
      batches.at(-1)!.through!.should.equal(NOW);
      const through = batches.map((batch) => batch.through!);
      through.should.eql([...through].sort((a, b) => a - b));
    }
  });

  it('requests pages of 250, and few more than exist', async () => {
    const shelf = new TelnyxShelf(50_000, (index) => NOW - index * 600_000);
    checkWhole(await batchesOf(shelf), shelf);
    shelf.requests.every((query) => query['page[size]'] === '250').should.be.true();
    shelf.requests.length.should.be.below(2 * (50_000 / 250));
    Math.max(...shelf.requests.map((query) => Number(query['page[number]']))).should.be.belowOrEqual(8);
  });

  it('keeps to the time span, and passes filters on', async () => {
    const shelf = new TelnyxShelf(1000, (index) => NOW - index * 60_000);
    const [from, to] = [NOW - 500 * 60_000, NOW - 100 * 60_000];
    const filter = { 'filter[connection_id]': '1893004417265530001' };
    const batches = await batchesOf(shelf, { from, to, filter });
    ids(batches).should.have.length(401);
    shelf.requests
      .every((query) => query['filter[connection_id]'] === '1893004417265530001')
      .should.be.true();
    for (const query of shelf.requests) {
      Date.parse(query['filter[created_at][gte]']!).should.be.within(from, to);
      Date.parse(query['filter[created_at][lte]']!).should.be.within(from, to);
    }
  });

  it('reports an empty list', async () => {
    const batches = await batchesOf(new TelnyxShelf(0, () => 0));
    batches.should.eql([{ items: [], gap: null, through: NOW }]);
  });

  it('loses nothing when recordings are deleted between two pages', async () => {
    const shelf = new TelnyxShelf(900, (index) => NOW - DAY - index * 60_000);
    // On the first page: everything after it moves up.
    shelf.before = (request) => {
      if (request === 2 || request === 7) shelf.remove(`rec-${request}`);
    };
    checkWhole(await batchesOf(shelf), shelf);
  });

  it('loses nothing when one is deleted and another is added between two pages', async () => {
    const shelf = new TelnyxShelf(900, (index) => NOW - DAY - index * 60_000);
    shelf.before = (request) => {
      if (request !== 2) return;
      shelf.remove('rec-3');
      shelf.recordings.push({ id: 'rec-new', createdAt: NOW - 1000 });
    };
    checkWhole(await batchesOf(shelf), shelf);
  });

  it('loses nothing that appears late, among much older recordings, between two pages', async () => {
    const shelf = new TelnyxShelf(3000, (index) => NOW - index * 600_000);
    let late: string | null = null;
    shelf.before = (_request, query) => {
      // In a past span, after its first page.
      if (late !== null || query['page[number]'] !== '2') return;
      late = query['filter[created_at][lte]']!;
      shelf.add({ id: 'rec-late', createdAt: Date.parse(late) - 20_000 });
    };
    checkWhole(await batchesOf(shelf, { largestWindow: 1000 }), shelf);
    should(Date.parse(late!)).be.below(NOW);
  });

  it('loses nothing when a page repeats some recordings and skips others', async () => {
    const shelf = new TelnyxShelf(600, (index) => NOW - index * 60_000);
    const ask: TelnyxListOptions['ask'] = async (request) => {
      const answer = (await shelf.ask(request)) as { data: unknown[] };
      if (shelf.requests.length === 2) answer.data[0] = { id: 'rec-0', status: 'completed' };
      return answer;
    };
    checkWhole(await batchesOf(shelf, { ask }), shelf);
  });

  it('loses nothing between two windows when the API rounds the requested times', async () => {
    const shelf = new TelnyxShelf(5000, (index) => NOW - index * 2111);
    const rounded = (time: string, round: (value: number) => number): string =>
      new Date(round(Date.parse(time) / 5000) * 5000).toISOString();
    const ask: TelnyxListOptions['ask'] = ({ query = {}, ...request }) => {
      const { 'filter[created_at][gte]': gte, 'filter[created_at][lte]': lte, ...rest } = query;
      const times = {
        ...(gte !== undefined && { 'filter[created_at][gte]': rounded(gte, Math.ceil) }),
        'filter[created_at][lte]': rounded(lte!, Math.floor)
      };
      return shelf.ask({ ...request, query: { ...rest, ...times } });
    };
    checkWhole(await batchesOf(shelf, { ask, largestWindow: 500 }), shelf);
  });

  it('loses nothing while what it returned is deleted at the source', async () => {
    const shelf = new TelnyxShelf(3000, (index) => NOW - index * 600_000);
    const all = shelf.recordings.map(({ id }) => id);
    const batches = await batchesOf(shelf, { largestWindow: 600 }, ({ items }) => {
      for (const { id } of items) shelf.remove(String(id));
    });
    should(ids(batches).sort().join() === all.sort().join()).be.true();
  });

  it('does not return recordings that appear after it started', async () => {
    const shelf = new TelnyxShelf(600, (index) => NOW - index * 60_000);
    shelf.before = (request) => {
      shelf.recordings.push({ id: `new-${request}`, createdAt: NOW + request * 1000 });
    };
    ids(await batchesOf(shelf)).should.have.length(600);
  });

  it('reports that something may be missing when the list keeps changing', async function () {
    this.timeout(60_000);
    const shelf = new TelnyxShelf(600, (index) => NOW - index * 60_000);
    shelf.before = (request) => shelf.remove(`rec-${request}`);
    const [batch] = await batchesOf(shelf);
    batch!.gap!.should.have.property('code', 'LIST_INCOMPLETE');
    // It still returns what it saw.
    batch!.items.length.should.be.above(580);
  });

  it('returns the rest when restarted where it ended', async () => {
    const shelf = new TelnyxShelf(6000, (index) => NOW - index * 600_000);
    const refused = new CodedError('API_UNAUTHORIZED', 'The key is refused.');
    for (const last of [2, 9, 20, 31]) {
      shelf.requests = [];
      shelf.before = (request) => {
        if (request > last) throw refused;
      };
      const first: ListedBatch[] = [];
      const ended = batchesOf(shelf, { largestWindow: 1000 }, (batch) => first.push(batch));
      await ended.should.be.rejectedWith({ code: 'API_UNAUTHORIZED' });
      shelf.before = () => undefined;
      const from = first.at(-1)?.through ?? null;
      const rest = await batchesOf(shelf, { largestWindow: 1000, from });
      const all = new Set([...ids(first), ...ids(rest)]);
      should([last, all.size]).eql([last, 6000]);
      // It lists few recordings a second time.
      should(ids(first).length + ids(rest).length).be.belowOrEqual(6000 + 2);
    }
  });

  it('rejects a list outside the time span', async () => {
    const shelf = new TelnyxShelf(5000, (index) => NOW - index * 60_000);
    shelf.honoursTimes = false;
    await batchesOf(shelf).should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });
    await batchesOf(shelf, { from: NOW - DAY }).should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });
  });

  it('rejects a response that is not a list', async () => {
    const ask = (): Promise<unknown> => Promise.resolve({ data: {} });
    const list = listTelnyx({ ask, filter: {}, from: null, to: NOW, signal: never });
    await list.next().should.be.rejectedWith({ code: 'LINK_REFUSED' });
  });

  for (const meta of [undefined, { total_pages: 1, total_results: 1 }])
    it(`reports a recording without an id when the API says ${meta ? 'that there is one' : 'no number'}`, async () => {
      const ask = (): Promise<unknown> => Promise.resolve({ data: [{ id: 'rec-1' }, { id: null }], meta });
      const list = listTelnyx({ ask, filter: {}, from: null, to: NOW, signal: never });
      const batches: ListedBatch[] = [];
      for await (const batch of list) batches.push(batch);
      should(batches.map(({ items, gap }) => [items.length, gap?.code])).eql([[1, 'LIST_INCOMPLETE']]);
    });

  it('relies on full pages when the API does not report a total', async () => {
    const shelf = new TelnyxShelf(1100, (index) => NOW - index * 60_000);
    const ask: TelnyxListOptions['ask'] = async (request) => {
      const { data } = (await shelf.ask(request)) as { data: unknown };
      return { data };
    };
    checkWhole(await batchesOf(shelf, { ask }), shelf);
  });

  it('also splits the span when the API does not report a total', async () => {
    const shelf = new TelnyxShelf(12_000, (index) => NOW - index * 60_000);
    const ask: TelnyxListOptions['ask'] = async (request) => {
      const { data } = (await shelf.ask(request)) as { data: unknown };
      return { data };
    };
    const batches = await batchesOf(shelf, { ask, largestWindow: 500 });
    checkWhole(batches, shelf);
    Math.max(...batches.map(({ items }) => items.length)).should.be.belowOrEqual(1000);
  });

  for (const [what, meta] of [
    ['a million pages', { total_pages: 1_000_000, total_results: 700 }],
    ['no number of pages', undefined]
  ] as const) {
    it(`ends, and reports that something may be missing, when all pages are equal and there are ${what}`, async function () {
      this.timeout(60_000);
      const shelf = new TelnyxShelf(250, (index) => NOW - index * 60_000);
      let requests = 0;
      const ask: TelnyxListOptions['ask'] = async ({ query, ...request }) => {
        requests += 1;
        const answer = (await shelf.ask({ ...request, query: { ...query, 'page[number]': '1' } })) as object;
        return { ...answer, meta };
      };
      const [batch, ...more] = await batchesOf(shelf, { ask });
      should([batch!.items.length, batch!.gap?.code, more]).eql([250, 'LIST_INCOMPLETE', []]);
      requests.should.be.below(20);
    });
  }

  it('does not read an endless list endlessly', async function () {
    this.timeout(60_000);
    let count = 0;
    for (const id of [() => `rec-${count}`, () => null]) {
      const ask: TelnyxListOptions['ask'] = () =>
        Promise.resolve({
          data: Array.from({ length: 250 }, () => ({
            id: (count += 1) && id(),
            created_at: new Date(NOW).toISOString()
          })),
          meta: { total_pages: 1e9, total_results: 10 }
        });
      const list = listTelnyx({ ask, filter: {}, from: NOW - 60_000, to: NOW, signal: never });
      await list.next().should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });
    }
    count.should.be.below(200_000);
  });

  it('holds only one window of recordings in memory, however many there are', async function () {
    this.timeout(120_000);
    const shelf = new TelnyxShelf(1_000_000, (index) => NOW - index * 18_000);
    let [listed, largest] = [0, 0];
    const list = listTelnyx({ ask: shelf.ask, filter: {}, from: null, to: NOW, signal: never });
    for await (const { items } of list) {
      listed += items.length;
      largest = Math.max(largest, items.length);
      shelf.requests = [];
    }
    should(listed).equal(1_000_000);
    should(largest).be.belowOrEqual(2000);
  });

  describe('by the positions that the API names', () => {
    const COUNT = 130;
    let requests: Readonly<Record<string, string>>[];
    /** What `meta` says of the page after the item at an index. */
    let metaOf: (after: number) => object;

    beforeEach(() => {
      requests = [];
      metaOf = (after) => ({ next: `/v2/recording_transcriptions?page[after]=v1:g3+A/${after}==` });
    });

    /** Pages of 20, whatever is asked for; numbers of pages are ignored. */
    const ask: TelnyxListOptions['ask'] = ({ query = {}, path, maxBody }) => {
      requests.push(query);
      should([path, maxBody]).eql([['recording_transcriptions'], 32 * 1024 * 1024]);
      const start = Number(/^v1:g3\+A\/(\d+)==$/.exec(query['page[after]'] ?? 'v1:g3+A/0==')![1]);
      const data = Array.from({ length: Math.min(20, COUNT - start) }, (_value, index) => ({
        id: `text-${start + index}`,
        recording_id: 'rec',
        created_at: new Date(NOW - (start + index) * 60_000).toISOString()
      }));
      return Promise.resolve({ data, meta: start + 20 < COUNT ? metaOf(start + 20) : { next: null } });
    };
    const listed = async (): Promise<{ ids: string[]; gaps: unknown[] }> => {
      const batches: ListedBatch[] = [];
      const query = { filter: { 'filter[recording_id]': 'rec' }, from: null, to: NOW, signal: never };
      for await (const batch of listTelnyx({ ask, listing: TRANSCRIPTIONS, ...query })) batches.push(batch);
      return { ids: ids(batches), gaps: batches.flatMap(({ gap }) => gap ?? []) };
    };

    it('reads all pages, with its own filters on each', async () => {
      const { ids: found, gaps } = await listed();
      new Set(found).size.should.equal(COUNT);
      gaps.should.eql([]);
      requests.every((query) => query['filter[recording_id]'] === 'rec').should.be.true();
      requests.every((query) => query['filter[created_at][lte]'] !== undefined).should.be.true();
    });

    it('takes only the position from an address, whatever else it says', async () => {
      metaOf = (after) => ({
        next: `https://evil.example.com/v2/other?page[after]=v1:g3%2BA/${after}==&filter[recording_id]=x&page[size]=1`
      });
      new Set((await listed()).ids).size.should.equal(COUNT);
      requests.every((query) => query['filter[recording_id]'] === 'rec').should.be.true();
      requests.every((query) => query['page[size]'] === '50').should.be.true();
    });

    it('finds the position in the cursors when the address has none', async () => {
      metaOf = (after) => ({ next: 'yes', cursors: { after: `v1:g3+A/${after}==` } });
      new Set((await listed()).ids).size.should.equal(COUNT);
    });

    it('says that there is more when nothing tells how to ask for it', async () => {
      metaOf = () => ({ next: 'yes' });
      await listed().should.be.rejectedWith({ code: 'LIST_INCOMPLETE' });
    });

    it('reports a list that never moves on, and what it had', async () => {
      metaOf = () => ({ next: '/v2/recording_transcriptions?page[after]=v1:g3+A/0==' });
      const { ids: found, gaps } = await listed();
      found.should.have.length(20);
      gaps.should.match([{ code: 'LIST_INCOMPLETE' }]);
    }).timeout(60_000);
  });
});
