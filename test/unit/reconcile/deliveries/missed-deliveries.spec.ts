import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { ListedBatch } from '../../../../src/providers/provider';
import {
  newDeliverySummary,
  summarised,
  type DeliveryRun
} from '../../../../src/reconcile/deliveries/delivery-summary';
import { findMissed, type MissedParts } from '../../../../src/reconcile/deliveries/missed-deliveries';
import type { FetchedDelivery } from '../../../../src/reconcile/deliveries/reception';

const NOON = Date.UTC(2026, 2, 4, 12);
const MINUTE = 60_000;

/** An entry of the log; its event occurred `minute` minutes after noon. */
function entry(id: string, minute: number, more: object = {}): Record<string, unknown> {
  const occurred_at = new Date(NOON + minute * MINUTE).toISOString();
  const webhook = { id, event_type: 'call.hangup', occurred_at, payload: {} };
  return { id: `delivery-${id}`, status: 'failed', started_at: occurred_at, webhook, attempts: [], ...more };
}

const batch = (minute: number, ...items: Record<string, unknown>[]): ListedBatch => ({
  items,
  gap: null,
  through: NOON + minute * MINUTE
});

describe('finding missed deliveries', () => {
  let sent: string[];
  let known: Set<string>;
  beforeEach(() => {
    sent = [];
    known = new Set();
  });

  function find(batches: (ListedBatch | Error)[], more: Partial<MissedParts> = {}): Promise<DeliveryRun> {
    const { signal = new AbortController().signal } = more;
    const summary = newDeliverySummary(NOON, NOON + 60 * MINUTE, NOON);
    async function* list(): AsyncGenerator<ListedBatch> {
      for (const one of batches) {
        await Promise.resolve();
        if (one instanceof Error) throw one;
        yield one;
      }
    }
    const reception = {
      isKnown: ({ id }: FetchedDelivery) => Promise.resolve(known.has(id)),
      receive: ({ id }: FetchedDelivery) => {
        sent.push(id);
        known.add(id);
        return Promise.resolve();
      },
      repeat: ({ id }: FetchedDelivery) => void sent.push(`${id} again`)
    };
    const parts: MissedParts = {
      only: 'missing',
      outcome: 'any',
      isWanted: () => true,
      isOurs: () => true,
      reception,
      turn: () => Promise.resolve(),
      onProgress: () => undefined,
      signal,
      ...more
    };
    return summarised(
      summary,
      () => findMissed(list(), parts, summary),
      () => NOON,
      signal
    );
  }

  it('sends in the order in which things occurred, across batches too', async () => {
    const { summary } = await find([
      batch(10, entry('c', 3), entry('a', 1), entry('e', 9.5)),
      batch(20, entry('d', 9.2), entry('f', 12))
    ]);
    sent.should.eql(['a', 'c', 'd', 'e', 'f']);
    summary.should.have.properties({ listed: 5, emitted: 5, complete: true });
    summary.listed_through!.should.equal('2026-03-04T12:20:00.000Z');
  });

  it('sends an event once that is in the log for several addresses', async () => {
    const twice = [entry('a', 1), { ...entry('a', 1), id: 'other' }];
    (await find([batch(10, ...twice)])).summary.should.have.properties({ listed: 2, known: 1, emitted: 1 });
    (await find([batch(10, ...twice)], { only: 'all' })).summary.should.have.properties({
      known: 2,
      emitted: 1
    });
    sent.should.eql(['a', 'a again']);
  });

  it('leaves out what arrives while it waits for its turn', async () => {
    const turn = (): Promise<void> => {
      known.add('b');
      return Promise.resolve();
    };
    const { summary } = await find([batch(10, entry('a', 1), entry('b', 2), entry('c', 3))], { turn });
    sent.should.eql(['a', 'c']);
    summary.should.have.properties({ listed: 3, known: 1, emitted: 2 });
  });

  it('sends what was listed before the list broke off', async () => {
    const fault = new CodedError('RATE_LIMITED', 'made up');
    const { summary, failure } = await find([batch(10, entry('a', 9.9)), fault]);
    sent.should.eql(['a']);
    should(failure).equal(fault);
    summary.should.have.properties({
      emitted: 1,
      complete: false,
      listed_through: '2026-03-04T12:10:00.000Z'
    });
    summary.errors.should.eql([{ code: 'RATE_LIMITED', message: 'made up' }]);
  });

  it('sends nothing once it is stopped', async () => {
    const closing = new AbortController();
    const reason = new CodedError('GAVE_UP', 'made up');
    const turn = (): Promise<void> => {
      closing.abort(reason);
      return Promise.reject(reason);
    };
    const run = find([batch(10, entry('a', 1), entry('b', 2))], { signal: closing.signal, turn });
    await should(run).be.rejectedWith(reason);
    sent.should.be.empty();
  });

  it('reports a gap in the list, and counts what it cannot send on', async () => {
    const gap = new CodedError('LIST_INCOMPLETE', 'It kept changing.');
    const entries = [
      {},
      entry('a', 1, { webhook: null }),
      entry('b', 1, { webhook: { id: 'b', event_type: 'call.hangup' } }),
      entry('c', 1, { webhook: { id: ' ', event_type: 'call.hangup', payload: {} } }),
      entry('d', 1, { webhook: { id: 'x'.repeat(300), event_type: 'call.hangup', payload: {} } }),
      entry('e', 1)
    ];
    const { summary, failure } = await find([{ ...batch(10, ...entries), gap }]);
    should(failure).equal(null);
    summary.should.have.properties({ listed: 6, unreadable: 5, emitted: 1, complete: false });
    summary.errors.map(({ message }) => message).should.have.length(2);
    summary.errors[1]!.message.should.match(
      /2 with no event, 1 with no payload, 2 with no id \(such as delivery-a,/
    );
  });

  it('says nothing about unreadable entries that were sent elsewhere', async () => {
    const attempts = [{ http: { request: { url: 'https://example.com/other' } } }];
    const isOurs = (urls: readonly string[]): boolean => urls.length === 0;
    const { summary } = await find([batch(10, entry('a', 1, { webhook: 7, attempts }), entry('b', 1))], {
      isOurs
    });
    summary.should.have.properties({ listed: 2, elsewhere: 1, unreadable: 0, emitted: 1, complete: true });
  });

  it('takes only failed ones, even when the API ignores the filter', async () => {
    const items = [entry('a', 1, { status: 'delivered' }), entry('b', 1), entry('c', 1, { status: null })];
    (await find([batch(10, ...items)], { outcome: 'failed' })).summary.should.have.property('emitted', 2);
    sent.should.eql(['b', 'c']);
  });
});
