import should from 'should';
import {
  type Cursor,
  idOfPlace,
  readCursor,
  readPlace,
  textOfCursor
} from '../../../../src/reconcile/deliveries/search/delivery-place';
import { readDeliveryQuery } from '../../../../src/reconcile/deliveries/search/delivery-query';
import {
  type DeliveryPage,
  DeliverySearch,
  type DeliverySearchDeps
} from '../../../../src/reconcile/deliveries/search/delivery-search';
import type { DeliveryLog } from '../../../../src/webhook/log/delivery-log';
import type { NewDelivery } from '../../../../src/webhook/log/record';
import { delivery, LogFixture } from '../../webhook/log/log-fixture';

const BEGIN = Date.UTC(2026, 4, 6);

describe('DeliverySearch', () => {
  const fixtures: LogFixture[] = [];
  const logs = new Map<number, DeliveryLog>();
  const waiting = new Set<string>();
  beforeEach(() => {
    for (const days of [7, 1]) {
      const fixture = new LogFixture();
      fixtures.push(fixture);
      logs.set(days, fixture.open({ sizes: { first: 16_384, most: 65_536 } }).log);
    }
    waiting.clear();
  });
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) await fixture.remove();
  });

  let clock = BEGIN;
  const add = (id: string, more: Partial<NewDelivery> = {}, days = 7): Promise<unknown> =>
    logs.get(days)!.writer.append(delivery(id, { receivedAt: (clock += 1000), ...more }));
  const event = (payload: object, type = 'call.hangup'): Partial<NewDelivery> => ({
    eventType: type,
    rawBody: Buffer.from(
      JSON.stringify({ data: { event_type: type, id: 'e', record_type: 'event', payload } })
    )
  });
  const search = (deps: Partial<DeliverySearchDeps> = {}): DeliverySearch =>
    new DeliverySearch({
      logs,
      isWaiting: (days, sequence) => waiting.has(`${days}/${sequence}`),
      pathOf: (node) => (node === 'node-a' ? '/telnyx' : null),
      ...deps
    });
  const { signal } = new AbortController();
  interface Asked extends Record<string, unknown> {
    before?: Cursor | null;
    after?: Cursor | null;
    most?: number;
  }
  const page = (
    { before = null, after = null, most = 50, ...query }: Asked = {},
    deps: Partial<DeliverySearchDeps> = {}
  ): Promise<DeliveryPage> =>
    search(deps).page(
      readDeliveryQuery((name) => query[name]),
      { before, after, most },
      signal
    );
  const idsOf = ({ found }: DeliveryPage): string[] => found.map(({ delivery: { id } }) => id);
  const ids = async (query: Asked = {}): Promise<string[]> => idsOf(await page(query));

  it('merges all logs, latest first, page by page', async () => {
    for (let number = 0; number < 100; number += 1) await add(String(number), {}, number % 3 === 0 ? 1 : 7);
    const all: string[] = [];
    let before: Cursor | null = null;
    do {
      const told: DeliveryPage = await page({ before, most: 7 });
      should(told.found.length).be.belowOrEqual(7);
      all.push(...idsOf(told));
      before = told.next === null ? null : readCursor(textOfCursor(told.next));
    } while (before !== null);
    should(all).deepEqual(Array.from({ length: 100 }, (_value, at) => String(99 - at)));
  });

  it('gives what came after a page, and nothing twice', async () => {
    await add('old');
    const first = await page();
    should(idsOf(await page({ after: first.end }))).deepEqual([]);
    await add('new');
    await add('newer', {}, 1);
    const second = await page({ after: first.end });
    should(idsOf(second)).deepEqual(['newer', 'new']);
    should(second.next).be.null();
    should(await ids({ after: second.end })).deepEqual([]);
  });

  it('does not mix what comes meanwhile into older pages', async () => {
    for (const id of ['a', 'b', 'c']) await add(id);
    const { next } = await page({ most: 1 });
    await add('late');
    await add('late too', {}, 1);
    should(await ids({ before: next })).deepEqual(['b', 'a']);
  });

  it('finds by time, provider, type and state', async () => {
    await add('a', event({}, 'call.answered'));
    const middle = clock + 500;
    await add('b', { ...event({}, 'recording.started'), provider: 'daily' });
    await add('c', { ...event({}, 'call.hangup'), duplicate: true });
    await add('d', event({}, 'call_hangup'));
    waiting.add('7/1');
    should(await ids({ from: middle })).deepEqual(['d', 'c', 'b']);
    should(await ids({ provider: 'daily' })).deepEqual(['b']);
    should(await ids({ events: 'call.*' })).deepEqual(['d', 'c', 'a']);
    should(await ids({ events: 'call.answered, recording.started' })).deepEqual(['b', 'a']);
    should(await ids({ state: 'waiting' })).deepEqual(['a']);
    should(await ids({ state: 'duplicate' })).deepEqual(['c']);
    should(await ids({ state: 'handed-over' })).deepEqual(['d', 'b']);
    const query = readDeliveryQuery((name) => (name === 'before' ? middle : undefined));
    const early = await search().page(query, { before: null, after: null, most: 50 }, signal);
    should(idsOf(early)).deepEqual(['a']);
  });

  it('finds by number, id, path and text', async () => {
    await add('one', event({ from: '+15550100199', call_session_id: 'Session-7', note: 'Grüße "x"' }));
    await add('two', { ...event({ from: '+15550100142' }), scope: 'node-b' });
    await add('three', {
      contentType: 'application/x-www-form-urlencoded',
      eventType: 'texml.status',
      rawBody: Buffer.from('CallSid=CA1&From=%2B15550100177&Name=Ann+Lee&CallStatus=completed')
    });
    should(await ids({ what: '+1 (555) 010-0199' })).deepEqual(['one']);
    should(await ids({ what: '0100177' })).deepEqual(['three']);
    should(await ids({ what: 'session-7' })).deepEqual(['one']);
    should(await ids({ what: 'TWO' })).deepEqual(['two']);
    should(await ids({ what: '/telnyx' })).deepEqual(['three', 'one']);
    should(await ids({ what: 'ann lee' })).deepEqual(['three']);
    should(await ids({ what: 'grüße "x"' })).deepEqual(['one']);
    should(await ids({ what: 'nowhere' })).deepEqual([]);
  });

  it('cannot be used to find out what signs a link', async () => {
    const link = 'https://media.example.com/rec-7.wav?X-Amz-Signature=geheim';
    await add('a', event({ recording_urls: { wav: link }, client_token: 'streng' }));
    should(await ids({ what: 'rec-7.wav' })).deepEqual(['a']);
    for (const what of ['geheim', 'signature=geh', 'streng']) should(await ids({ what })).deepEqual([]);
  });

  it('looks at a part when its time is up, and lets others have their turn', async () => {
    for (let number = 0; number < 300; number += 1) await add(String(number));
    let now = 0;
    let turns = 0;
    const breathe = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    const deps = { now: () => (now += 5), breathe };
    let looked = 0;
    let pages = 0;
    let before: Cursor | null = null;
    do {
      const told: DeliveryPage = await page({ what: 'nowhere', before }, deps);
      looked += told.looked;
      before = told.next;
      pages += 1;
      should(told.looked).be.below(200);
    } while (before !== null);
    should(looked).equal(300);
    should(pages).be.above(1);
    should(turns).be.above(50);
  });

  it('ends when nobody wants the answer any more', async () => {
    for (let number = 0; number < 10; number += 1) await add(String(number));
    const gone = new AbortController();
    let now = 0;
    const breathe = (): Promise<void> => {
      gone.abort(new Error('gone'));
      return Promise.resolve();
    };
    const asked = search({ now: () => (now += 5), breathe });
    const query = readDeliveryQuery(() => undefined);
    await should(asked.page(query, { before: null, after: null, most: 50 }, gone.signal)).be.rejectedWith(
      'gone'
    );
  });

  it('reads no query, cursor or id that it did not write', async () => {
    const bad: Record<string, unknown>[] = [
      { what: 'x'.repeat(201) },
      { what: 7 },
      { from: '2026' },
      { from: 1e300 },
      { provider: 'other' },
      { state: 'gone' },
      { events: 7 },
      { events: 'x'.repeat(30_000) }
    ];
    for (const query of bad)
      should(() => readDeliveryQuery((name) => query[name])).throw({ code: 'BAD_SETTING' });
    for (const cursor of ['7', '7:', 'x:1', '7:1;1:2', 7, {}, '7:1,'.repeat(2000)])
      should(() => readCursor(cursor)).throw({ code: 'BAD_SETTING' });
    await add('a');
    const [row] = (await page()).found;
    const id = idOfPlace(row!);
    should(readPlace(id)).deepEqual({ days: row!.days, place: row!.place });
    for (const made of ['', '7', `${id}.1`, `-${id}`, 7, null, `${id}\n`])
      should(readPlace(made)).equal(null);
    const { days, place } = readPlace(id)!;
    should(logs.get(days)!.at({ ...place, sequence: place.sequence + 1 })).equal(null);
    should(logs.get(days)!.at({ ...place, length: 10 })).equal(null);
    should(logs.get(days)!.at({ ...place, at: place.at + 1 })).equal(null);
  });
});
