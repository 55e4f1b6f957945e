import should from 'should';
import type { CodedError } from '../../../../../src/errors/coded-error';
import {
  openDeliveries,
  type DeliveriesQuery
} from '../../../../../src/providers/telnyx/deliveries/list-deliveries';
import { TelnyxStandIn, type StandInOptions } from '../../../../../src/simulator/stand-in';

const NOW = Date.UTC(2026, 2, 4, 12);
const never = new AbortController().signal;

describe("listing Telnyx's webhook deliveries", () => {
  let standIn: TelnyxStandIn;
  afterEach(() => standIn.stop());

  async function start(count: number, options: StandInOptions = {}): Promise<void> {
    standIn = new TelnyxStandIn(options);
    await standIn.start();
    const sample = standIn.sample('call.hangup');
    for (let index = 0; index < count; index += 1)
      standIn.lose(sample, 'https://example.com/telnyx', NOW - index * 1000);
  }

  async function list(query: Partial<DeliveriesQuery> = {}, apiKey = standIn.apiKey) {
    const { apiUrl } = standIn;
    const deliveries = openDeliveries({ apiUrl, apiKey: () => apiKey }, {});
    const batches: { ids: unknown[]; through: number | null; gap: CodedError | null }[] = [];
    try {
      const asked = { outcome: 'any', from: null, to: NOW, onWait: () => undefined, ...query } as const;
      for await (const { items, through, gap } of deliveries.list(asked, never))
        batches.push({ ids: items.map(({ id }) => id), through, gap });
    } finally {
      await deliveries.close();
    }
    return batches;
  }

  it('has each of thousands once, oldest first, a thousand at most in memory', async function () {
    this.timeout(60_000);
    await start(2500);
    const batches = await list({ from: NOW - 3_600_000 });
    const ids = batches.flatMap((batch) => batch.ids);
    should([ids.length, new Set(ids).size]).eql([2500, 2500]);
    batches.every(({ ids: some, gap }) => some.length <= 1200 && gap === null).should.be.true();
    const through = batches.map((batch) => batch.through!);
    through.should.eql([...through].sort((a, b) => a - b));
    should(through.at(-1)).equal(NOW);
  });

  it('asks for the span and the outcome', async () => {
    await start(100);
    const sent = { status: 200, problem: null, milliseconds: 1 };
    standIn.deliveries.add(
      standIn.sample('call.hangup'),
      'https://example.com/',
      { accepted: true, attempts: [sent], last: sent },
      NOW
    );
    (await list({ from: NOW - 10_000 })).flatMap(({ ids }) => ids).should.have.length(12);
    (await list({ from: NOW - 10_000, outcome: 'failed' })).flatMap(({ ids }) => ids).should.have.length(11);
    (await list({ from: NOW - 20_000, to: NOW - 10_000 })).flatMap(({ ids }) => ids).should.have.length(11);
  });

  it('keeps to the rate limit', async function () {
    this.timeout(60_000);
    await start(500, { apiLimit: { requests: 5, seconds: 1 } });
    const waits: string[] = [];
    const batches = await list({ onWait: (reason) => reason !== null && waits.push(reason.code) });
    batches.flatMap(({ ids }) => ids).should.have.length(500);
    waits.filter((code) => code !== 'RATE_LIMITED').should.be.empty();
  });

  it('says that entries without an id may be others than they seem', async () => {
    await start(3);
    standIn.deliveries.garble = (item) => ({ ...item, id: null });
    const [batch] = await list();
    should(batch!.gap?.code).equal('LIST_INCOMPLETE');
    should(batch!.gap?.message).match(/deliveries begun .* 3 without an id/);
  });

  it('takes pages of deliveries that were tried again and again, with all that was said', async () => {
    await start(60);
    const headers = Array.from({ length: 30 }, (_value, index) => [`x-header-${index}`, 'x'.repeat(40)]);
    const text = 'x'.repeat(10_000);
    const attempt = {
      status: 'failed',
      http: {
        request: { url: 'https://example.com/telnyx', headers, body: text },
        response: { status: 500, headers, body: text }
      }
    };
    standIn.deliveries.garble = (item) => ({ ...item, attempts: Array(20).fill(attempt) });
    const batches = await list();
    should(batches.map(({ ids, gap }) => [ids.length, gap])).eql([[60, null]]);
  });

  it('reads large ones in parts, and says so where even the smallest part takes too much memory', async function () {
    this.timeout(60_000);
    await start(100);
    const text = 'x'.repeat(400_000);
    standIn.deliveries.garble = (item) => ({ ...item, webhook: { text } });
    const [batch, ...more] = await list({ from: NOW - 110_000 });
    should(more).be.empty();
    should(batch!.ids.length).be.within(70, 85);
    should(batch!.gap).have.property('code', 'LIST_INCOMPLETE');
    should(batch!.gap!.message).match(
      /^The deliveries begun between 2026-03-04T11:58:10\.000Z and 2026-03-04T12:00:00\.000Z take more than 64 MiB of memory/
    );
    const parts = await list({ from: NOW - 125_000 });
    should(new Set(parts.flatMap(({ ids }) => ids)).size).equal(100);
    should(parts.map(({ gap }) => gap)).eql([null, null]);
  });

  it('fails with the key of another account', async () => {
    await start(1);
    await should(list({}, 'KEY-other')).be.rejectedWith({ code: 'API_UNAUTHORIZED' });
  });
});
