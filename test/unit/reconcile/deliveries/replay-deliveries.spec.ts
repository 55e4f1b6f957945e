import should from 'should';
import type { WebhookMessage } from '../../../../src/events/build-event';
import {
  newDeliverySummary,
  type DeliverySummary
} from '../../../../src/reconcile/deliveries/delivery-summary';
import { readEvents } from '../../../../src/reconcile/deliveries/event-patterns';
import {
  replayDeliveries,
  type ReplayedDelivery,
  type ReplayParts
} from '../../../../src/reconcile/deliveries/replay-deliveries';

const NOON = Date.UTC(2026, 2, 4, 12);

function delivery(id: string, second: number, more: Partial<ReplayedDelivery> = {}): ReplayedDelivery {
  const occurred_at = new Date(NOON + second * 1000).toISOString();
  const body = { data: { id, event_type: 'call.hangup', occurred_at, payload: { x: 1 } } };
  return {
    provider: 'telnyx',
    receivedAt: NOON + second * 1000 + 500,
    verified: 'ed25519',
    keyIndex: 1,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(JSON.stringify(body)),
    ...more
  };
}

const DAILY = delivery('x', 3, {
  provider: 'daily',
  verified: 'hmac',
  rawBody: Buffer.from(
    JSON.stringify({
      version: '1.1.0',
      type: 'recording.started',
      id: 'd',
      payload: {},
      event_ts: NOON / 1000
    })
  )
});

describe('replaying deliveries', () => {
  async function replay(
    batches: ReplayedDelivery[][],
    more: Partial<ReplayParts> = {}
  ): Promise<{ sent: WebhookMessage[]; summary: DeliverySummary }> {
    const sent: WebhookMessage[] = [];
    const summary = newDeliverySummary(null, NOON, NOON);
    async function* log(): AsyncGenerator<readonly ReplayedDelivery[]> {
      for (const batch of batches) {
        await Promise.resolve();
        yield batch;
      }
    }
    const parts: ReplayParts = {
      provider: null,
      isWanted: () => true,
      emit: (message) => sent.push(message),
      turn: () => Promise.resolve(),
      onProgress: () => undefined,
      signal: new AbortController().signal,
      ...more
    };
    await replayDeliveries(log(), parts, summary);
    return { sent, summary };
  }

  it('makes the same messages as the webhook node, marked as replayed', async () => {
    const { sent, summary } = await replay([[delivery('a', 1)]]);
    should(sent).have.length(1);
    sent[0]!.should.have.properties({ topic: 'call.hangup', payload: { x: 1 } });
    sent[0]!.event.should.have.properties({
      id: 'a',
      replayed: true,
      duplicate: false,
      verified: 'ed25519',
      key_index: 1,
      received_at: new Date(NOON + 1500).toISOString()
    });
    should(sent[0]!.event.recovered).equal(undefined);
    summary.should.have.properties({ listed: 1, known: 1, emitted: 1, complete: true });
  });

  it('marks copies that the flow got as well', async () => {
    const { sent } = await replay([[delivery('a', 1), delivery('a', 1, { duplicate: true })]]);
    sent.map(({ event }) => event.duplicate).should.eql([false, true]);
  });

  it('sends in the order in which things occurred', async () => {
    const { sent } = await replay([
      [delivery('c', 30), delivery('a', 10)],
      [delivery('b', 20)],
      [],
      [delivery('d', 300)]
    ]);
    sent.map(({ event }) => event.id).should.eql(['a', 'b', 'c', 'd']);
  });

  it('takes one provider, and the types that are asked for', async () => {
    const log = [[delivery('a', 1), DAILY]];
    const ids = async (more: Partial<ReplayParts>): Promise<string[]> =>
      (await replay(log, more)).sent.map(({ event }) => event.id);
    (await ids({})).should.eql(['d', 'a']);
    (await ids({ provider: 'telnyx' })).should.eql(['a']);
    (await ids({ provider: 'daily' })).should.eql(['d']);
    (await ids({ isWanted: readEvents('recording.*') })).should.eql(['d']);
    (await replay(log, { provider: 'daily' })).summary.should.have.properties({
      listed: 2,
      other_types: 1,
      emitted: 1
    });
  });

  it('identifies bodies without an id by their bytes, as on arrival', async () => {
    const form = {
      contentType: 'application/x-www-form-urlencoded',
      rawBody: Buffer.from('CallSid=1&CallbackSource=call-progress-events&CallStatus=ringing')
    };
    const { sent } = await replay([[delivery('a', 1, form)]]);
    sent[0]!.event.id.should.match(/^[0-9a-f]{64}$/);
    sent[0]!.topic.should.startWith('texml.');
  });

  it('ends when it is stopped, even where nothing is wanted', async () => {
    const closing = new AbortController();
    const reason = new Error('stopped');
    const more = { isWanted: () => false, onProgress: () => closing.abort(reason), signal: closing.signal };
    await should(replay([[delivery('a', 1)], [delivery('b', 2)]], more)).be.rejectedWith(reason);
  });

  it('counts what can no longer be read', async () => {
    const { summary } = await replay([[delivery('a', 1, { rawBody: Buffer.from('{') })]]);
    summary.should.have.properties({ listed: 1, emitted: 0, unreadable: 1, complete: false });
  });
});
