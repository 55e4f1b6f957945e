import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import dailyAccount from '../../nodes/daily-account';
import dailyWebhookIn from '../../nodes/daily-webhook-in';
import telnyxAccount from '../../nodes/telnyx-account';
import deliveryList from '../../nodes/telnyx-delivery-list';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { DailyStandIn } from '../../src/simulator/daily/daily-stand-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { dailyAccount as dailyAccountNode, dailyWebhookIn as dailyWebhook } from '../support/daily';
import { account, node, tab, webhookIn } from '../support/flows';
import { loadedNode, type TestMessage } from '../support/node-helper';
import { NodeStage } from './node-stage';

describe('telnyx-delivery-list, source log', () => {
  let stage: NodeStage;
  let telnyx: TelnyxStandIn;
  let daily: DailyStandIn;

  beforeEach(async () => {
    telnyx = new TelnyxStandIn();
    daily = new DailyStandIn();
    await Promise.all([telnyx.start(), daily.start()]);
    process.env['TELNYX_API_KEY'] = telnyx.apiKey;
    process.env['DAILY_HMAC_SECRET'] = daily.secret.hmac;
  });
  afterEach(async () => {
    await stage.unload();
    await Promise.all([telnyx.stop(), daily.stop()]);
    delete process.env['TELNYX_API_KEY'];
    delete process.env['DAILY_HMAC_SECRET'];
  });

  async function load(properties: object = {}): Promise<void> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn, dailyAccount, dailyWebhookIn, deliveryList],
      [
        tab(),
        account({ publicKeys: telnyx.publicKey, apiUrl: telnyx.apiUrl }),
        dailyAccountNode(),
        webhookIn({ wires: [['received']] }),
        { ...dailyWebhook({ path: '/daily' }), wires: [['received']] },
        node('list', 'telnyx-delivery-list', {
          from: '1h',
          wires: [['replayed'], ['summary']],
          ...properties
        }),
        node('missed', 'telnyx-delivery-list', {
          source: 'telnyx',
          account: 'account',
          from: '1h',
          wires: [['received'], ['summary']]
        }),
        ...['received', 'replayed', 'summary', 'caught'].map((id) => node(id, 'recorder')),
        node('catch', 'catch', { scope: null, wires: [['caught']] })
      ]
    );
  }

  async function run(message: TestMessage = {}, id = 'list'): Promise<Record<string, unknown>> {
    const summaries = stage.received('summary').length;
    loadedNode(id).receive({ _msgid: 'run', ...message });
    return (await stage.messages('summary', summaries + 1)).at(-1)!['payload'] as Record<string, unknown>;
  }

  async function deliver(...events: string[]): Promise<void> {
    for (const event of events)
      await telnyx.deliver(telnyx.sample(event), `http://127.0.0.1:${stage.port}/telnyx`);
  }

  const events = (id: string): Record<string, unknown>[] =>
    stage.received(id).map(({ event }) => event as Record<string, unknown>);

  it('sends what was accepted again, as often as asked', async () => {
    await load();
    await deliver('call.initiated', 'texml.transcription', 'call.hangup');
    const summary = await run({ customer: 'kept' });
    summary.should.have.properties({ listed: 3, known: 3, emitted: 3, complete: true, errors: [] });
    stage.received('summary')[0]!.should.have.properties({ topic: 'delivery.list', customer: 'kept' });
    const [first] = stage.received('received');
    const [again] = stage.received('replayed');
    should({ ...again, _msgid: '' }).eql({
      ...first,
      _msgid: '',
      event: { ...(first!['event'] as object), replayed: true }
    });
    events('replayed')
      .map(({ id }) => id)
      .sort()
      .should.eql(
        events('received')
          .map(({ id }) => id)
          .sort()
      );
    (await run()).should.have.property('emitted', 3);
    stage.received('received').should.have.length(3);
  });

  it('sends the span, the types and the provider that are asked for', async () => {
    await load();
    await deliver('call.initiated', 'message.received');
    await daily.deliver(daily.sample('recording.started'), `http://127.0.0.1:${stage.port}/daily`);
    const middle = Date.now() + 1;
    (await run({ to: middle })).should.have.properties({ listed: 3, emitted: 3 });
    (await run({ from: '2h', to: '1h' })).should.have.properties({ listed: 0, emitted: 0 });
    (await run({ events: 'message.*' })).should.have.properties({ listed: 3, other_types: 2, emitted: 1 });
    events('replayed').at(-1)!.should.have.properties({ event_type: 'message.received', replayed: true });
  });

  it('sends the deliveries of one provider', async () => {
    await load({ provider: 'daily' });
    await deliver('call.initiated');
    await daily.deliver(daily.sample('recording.started'), `http://127.0.0.1:${stage.port}/daily`);
    (await run()).should.have.properties({ listed: 2, emitted: 1 });
    events('replayed')[0]!.should.have.properties({ provider: 'daily', verified: 'hmac' });
  });

  it('sends what was fetched from Telnyx again', async () => {
    await load();
    telnyx.lose(telnyx.sample('message.received'), 'https://hooks.example.com/telnyx');
    (await run({}, 'missed')).should.have.property('emitted', 1);
    (await run()).should.have.properties({ listed: 1, emitted: 1 });
    events('replayed')[0]!.should.have.properties({ verified: 'api', replayed: true });
  });

  it('says that the replay is incomplete when a part of the log is gone', async () => {
    await load();
    await deliver('call.initiated', 'call.hangup');
    await stage.messages('received', 2);
    const [log] = readdirSync(stage.userDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /keep-7.00000001\.log$/.test(name)
    );
    rmSync(path.join(stage.userDir, log!));
    const summary = await run();
    summary.should.have.properties({ listed: 0, emitted: 0, complete: false });
    const [error] = summary['errors'] as { code: string; message: string }[];
    error!.code.should.equal('LIST_INCOMPLETE');
    error!.message.should.match(
      /^The delivery log no longer has all deliveries of this span: .*"Keep".*size limit/
    );
  });

  it('is stopped by a deploy', async () => {
    await load();
    await deliver(...Array<string>(60).fill('call.hangup'));
    loadedNode('list').receive({ _msgid: 'stopped' });
    await stage.messages('replayed', 1);
    await loadedNode('list').close(false);
    await stage.until('an error', () => stage.caught[0]?.code === 'GAVE_UP');
    stage.received('replayed').length.should.be.below(60);
    stage.received('summary').should.be.empty();
  });
});
