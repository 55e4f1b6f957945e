import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import deliveryList from '../../nodes/telnyx-delivery-list';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { SampleDelivery } from '../../src/simulator/telnyx/sample-delivery';
import { account, node, tab, webhookIn } from '../support/flows';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';
import { NodeStage } from './node-stage';

const DAY = 86_400_000;
const MINUTE = 60_000;
const PUBLIC = 'https://hooks.example.com/telnyx';

type Summary = Record<string, unknown> & { errors: { code: string; message: string }[] };

describe('telnyx-delivery-list, source telnyx', () => {
  let stage: NodeStage;
  let standIn: TelnyxStandIn;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    standIn = new TelnyxStandIn({ clock: () => now });
    await standIn.start();
    process.env['TELNYX_API_KEY'] = standIn.apiKey;
  });
  afterEach(async () => {
    await stage.unload();
    await standIn.stop();
    delete process.env['TELNYX_API_KEY'];
  });

  const flow = (properties: object = {}, webhook: object | null = {}): object[] => [
    tab(),
    account({ publicKeys: standIn.publicKey, apiUrl: standIn.apiUrl }),
    ...(webhook === null ? [] : [webhookIn({ wires: [['received']], ...webhook })]),
    node('list', 'telnyx-delivery-list', {
      source: 'telnyx',
      account: 'account',
      from: '1h',
      wires: [['found'], ['summary']],
      ...properties
    }),
    ...['received', 'found', 'summary', 'caught'].map((id) => node(id, 'recorder')),
    node('catch', 'catch', { scope: null, wires: [['caught']] })
  ];

  async function load(properties: object = {}, webhook: object | null = {}): Promise<void> {
    stage = await NodeStage.load([telnyxAccount, telnyxWebhookIn, deliveryList], flow(properties, webhook));
  }

  async function run(message: TestMessage = {}): Promise<Summary> {
    const summaries = stage.received('summary').length;
    loadedNode('list').receive({ _msgid: 'run', ...message });
    return (await stage.messages('summary', summaries + 1)).at(-1)!['payload'] as Summary;
  }

  async function refused(message: TestMessage = {}): Promise<{ code?: string; message: string }> {
    const errors = stage.caught.length;
    loadedNode('list').receive({ _msgid: 'run', ...message });
    return stage.until('an error', () => stage.caught[errors]);
  }

  const deliver = async (sample: SampleDelivery): Promise<boolean> =>
    (await standIn.deliver(sample, `http://127.0.0.1:${stage.port}/telnyx`, { retryDelaysMs: [] })).accepted;
  const idOf = (sample: SampleDelivery): string =>
    (JSON.parse(sample.body(1, PUBLIC).toString()) as { data: { id: string } }).data.id;
  const events = (id: string): Record<string, unknown>[] =>
    stage.received(id).map(({ event }) => event as Record<string, unknown>);
  const lose = (event: string, at?: number, to = PUBLIC): SampleDelivery => {
    const sample = standIn.sample(event);
    standIn.lose(sample, to, at);
    return sample;
  };

  it('sends what never arrived, as the webhook node would have, and nothing twice', async () => {
    await load();
    const arrived = standIn.sample('call.hangup');
    (await deliver(arrived)).should.be.true();
    const lost = lose('message.received');
    const summary = await run({ topic: 'hourly', customer: 'kept' });
    summary.should.have.properties({ listed: 2, known: 1, emitted: 1, complete: true, errors: [] });
    stage.received('summary')[0]!.should.have.properties({ topic: 'delivery.list', customer: 'kept' });
    const [message] = stage.received('found');
    const body = JSON.parse(lost.body(2, PUBLIC).toString()) as { data: { payload: object; id: string } };
    should(Object.keys(message!).sort()).eql(['_msgid', 'event', 'payload', 'topic']);
    message!.should.have.properties({ topic: 'message.received', payload: body.data.payload });
    events('found')[0]!.should.have.properties({
      id: body.data.id,
      event_type: 'message.received',
      shape: 'envelope-meta',
      verified: 'api',
      recovered: true,
      duplicate: false,
      attempt: 2,
      delivered_to: PUBLIC,
      body
    });
    (await run()).should.have.properties({ listed: 2, known: 2, emitted: 0 });
    // The real one comes late.
    (await deliver(lost)).should.be.true();
    stage.received('received').should.have.length(1);
  });

  it('sends in the order in which things occurred', async () => {
    await load({ from: '10h' });
    const begun = now;
    const samples = [5, 3, 4, 1, 2].map((minutes) => {
      now = begun - minutes * MINUTE;
      return lose('call.hangup', begun - 6 * MINUTE + minutes);
    });
    now = begun;
    await run();
    const order = [0, 2, 1, 4, 3].map((index) => idOf(samples[index]!));
    events('found')
      .map(({ id }) => id)
      .should.eql(order);
  });

  it('sends only what was sent to a path of this Node-RED', async () => {
    await load({}, { path: '/hooks/telnyx' });
    lose('call.hangup', undefined, 'https://example.com/other');
    const ours = ['https://example.com/proxied/hooks/telnyx', 'https://example.com/Hooks/Telnyx/?x=1'].map(
      (to) => idOf(lose('call.hangup', undefined, to))
    );
    (await run()).should.have.properties({ listed: 3, elsewhere: 1, emitted: 2 });
    events('found')
      .map(({ id }) => id)
      .should.eql(ours);
  });

  it('sends what was sent to the address in "Sent to"', async () => {
    await load({ sentTo: 'Other.example.com' });
    lose('call.hangup');
    const wanted = lose('call.hangup', undefined, 'https://other.example.com/elsewhere');
    (await run()).should.have.properties({ listed: 2, elsewhere: 1, emitted: 1 });
    should(events('found')[0]).have.property('id', idOf(wanted));
  });

  it('takes everything where there is no webhook node, once each over several runs', async () => {
    await load({}, null);
    for (let round = 1; round <= 3; round += 1) {
      lose('call.hangup', undefined, `https://example.com/${round}`);
      (await run()).should.have.properties({ listed: round, known: round - 1, emitted: 1 });
    }
  });

  it('knows what a webhook node accepted before it was disabled', async () => {
    await load();
    (await deliver(standIn.sample('call.hangup'))).should.be.true();
    await nodeHelper.setFlows(flow({}, { d: true }), 'full');
    (await run()).should.have.properties({ listed: 1, known: 1, emitted: 0 });
  });

  it('sends the types asked for; those of the message override those of the node', async () => {
    await load({ events: 'call.*' });
    for (const event of ['call.hangup', 'message.received', 'call.answered']) lose(event);
    (await run({ events: ['message.*'] })).should.have.properties({ listed: 3, other_types: 2, emitted: 1 });
    (await run()).should.have.properties({ listed: 3, other_types: 1, emitted: 2 });
  });

  it('sends all, and marks what was here before', async () => {
    await load({ only: 'all' });
    const arrived = standIn.sample('call.hangup');
    await deliver(arrived);
    lose('message.received');
    (await run()).should.have.properties({ listed: 2, known: 1, emitted: 2 });
    events('found')
      .map(({ event_type, duplicate }) => [event_type, duplicate])
      .should.eql([
        ['call.hangup', true],
        ['message.received', false]
      ]);
  });

  it('asks only for failed ones when set to do so', async () => {
    await load({ outcome: 'failed', only: 'all' });
    await deliver(standIn.sample('call.hangup'));
    lose('message.received');
    (await run()).should.have.properties({ listed: 1, emitted: 1 });
  });

  it('believes Telnyx about whether an old one was delivered', async () => {
    await load({ from: '7d' });
    standIn.deliveries.add(
      standIn.sample('call.hangup'),
      PUBLIC,
      {
        accepted: true,
        attempts: [{ status: 200, problem: null, milliseconds: 1 }],
        last: { status: 200, problem: null, milliseconds: 1 }
      },
      now - 3 * DAY
    );
    lose('message.received', now - 3 * DAY);
    (await run()).should.have.properties({ listed: 2, known: 1, emitted: 1 });
    (await run()).should.have.properties({ listed: 2, known: 2, emitted: 0 });
  });

  it('counts what it cannot read, and says that the list is incomplete', async () => {
    await load();
    for (let count = 0; count < 6; count += 1) lose('call.hangup');
    const forms: ((item: Record<string, unknown>) => unknown)[] = [
      (item) => item,
      ({ id, started_at }) => ({ id, started_at }),
      (item) => ({ ...item, webhook: { ...(item['webhook'] as object), payload: null } }),
      (item) => ({ ...item, webhook: { ...(item['webhook'] as object), id: 7 } }),
      (item) => ({ ...item, webhook: 'text' }),
      // As in one of the samples in Telnyx's documentation.
      (item) => ({ ...item, attempts: [{ errors: [{ code: '75001', title: 'x' }], http: { reponse: 'x' } }] })
    ];
    let index = 0;
    standIn.deliveries.garble = (item) => forms[index++ % forms.length]!(item);
    const summary = await run();
    summary.should.have.properties({ listed: 6, unreadable: 4, emitted: 2, complete: false });
    summary.errors.should.have.length(1);
    summary.errors[0]!.code.should.equal('LIST_INCOMPLETE');
    summary.errors[0]!.message.should.match(/2 with no event, 1 with no payload, 1 with no id/);
  });

  it('says what is wrong with the API key, in the summary and to the Catch nodes', async () => {
    process.env['TELNYX_API_KEY'] = 'KEY-of-somebody-else';
    await load();
    const { complete, errors } = await run();
    should([complete, errors[0]!.code]).eql([false, 'API_UNAUTHORIZED']);
    await stage.until('an error', () => stage.caught[0]?.code === 'API_UNAUTHORIZED');
  });

  it('refuses a second run while one is under way', async () => {
    await load();
    for (let count = 0; count < 60; count += 1) lose('call.hangup');
    const first = run();
    (await refused()).should.have.property('code', 'ALREADY_RUNNING');
    (await first).should.have.property('emitted', 60);
  });

  it('is stopped by a deploy; the next run sends the rest, and nothing twice', async () => {
    await load();
    for (let count = 0; count < 120; count += 1) lose('call.hangup');
    loadedNode('list').receive({ _msgid: 'stopped' });
    await stage.messages('found', 1);
    await nodeHelper.setFlows(flow({ from: '2h' }), 'nodes');
    await stage.until('an error', () => stage.caught[0]?.code === 'GAVE_UP');
    stage.received('found').length.should.be.below(120);
    should(stage.received('summary')).be.empty();
    // One more than was sent by then: what was recorded when the node closed is sent by its successor.
    const { known, emitted } = await run();
    should([known, emitted].every((count) => Number(count) > 0)).be.true();
    should(Number(known) + Number(emitted)).equal(120);
    new Set(events('found').map(({ id }) => id)).size.should.equal(120);
    stage.received('found').should.have.length(120);
  });

  it('needs an account', async () => {
    await load({ account: '' });
    const error = await refused();
    error.should.have.property('code', 'BAD_SETTING');
    error.message.should.match(/choose one in the node/);
  });

  for (const [properties, message] of [
    [{ from: 'yesterday' }, {}],
    [{ source: 'elsewhere' }, {}],
    [{ only: 'some' }, {}],
    [{ outcome: 'good' }, {}],
    [{ source: 'log', provider: 'other' }, {}],
    [{}, { to: 'tomorrow' }],
    [{}, { events: 7 }],
    [{}, { events: [{}] }]
  ])
    it(`refuses ${JSON.stringify(properties)} with ${JSON.stringify(message)}`, async () => {
      await load(properties);
      (await refused(message)).should.have.property('code', 'BAD_SETTING');
    });
});
