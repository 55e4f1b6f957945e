import should from 'should';
import dailyAccountNode from '../../nodes/daily-account';
import dailyWebhookInNode from '../../nodes/daily-webhook-in';
import { dailyAccount, DAILY_HMAC, dailyDelivery, dailyWebhookIn, STRANGER_SECRET } from '../support/daily';
import type { Delivery } from '../support/deliveries';
import { node, tab } from '../support/flows';
import { exchange, type RawAnswer } from '../support/http-client';
import { NodeStage } from './node-stage';

const RED_RING = { fill: 'red', shape: 'ring' };

describe('daily-webhook-in', () => {
  let stage: NodeStage;
  const before = { hmac: process.env['DAILY_HMAC_SECRET'], key: process.env['DAILY_API_KEY'] };
  afterEach(async () => {
    await stage.unload();
    restore('DAILY_HMAC_SECRET', before.hmac);
    restore('DAILY_API_KEY', before.key);
  });

  function restore(name: string, value: string | undefined): void {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }

  async function start(credentials: Record<string, string>, properties: object = {}): Promise<void> {
    stage = await NodeStage.load(
      [dailyAccountNode, dailyWebhookInNode],
      [
        tab(),
        dailyAccount(),
        dailyWebhookIn({ wires: [['events'], ['refused']], ...properties }),
        node('events', 'recorder'),
        node('refused', 'recorder'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'recorder')
      ],
      { credentials: { daily: credentials } }
    );
  }

  const event = (id: string) =>
    JSON.stringify({ version: '1.0.0', type: 'meeting.ended', id, payload: { room: 'a' }, event_ts: 1.5 });
  const deliver = (delivery: Delivery): Promise<RawAnswer> =>
    exchange(stage.port, { path: '/daily', ...delivery });

  it('sends topic, payload and event, and counts in the status', async () => {
    await start({ hmac: DAILY_HMAC });
    should(stage.status('daily-webhook')?.text).equal('ready');
    should((await deliver(dailyDelivery(event('one')))).status).equal(200);
    const [message] = await stage.messages('events', 1);
    should(Object.keys(message ?? {}).sort()).deepEqual(['_msgid', 'event', 'payload', 'topic']);
    should(message?.['topic']).equal('meeting.ended');
    should(message?.['event']).have.properties({ id: 'one', provider: 'daily', verified: 'hmac' });
    should((await deliver(dailyDelivery(event('two'), { secret: STRANGER_SECRET }))).status).equal(401);
    await stage.until('the count', () => stage.status('daily-webhook')?.text === '1 ok, 1 refused');
  });

  it('has a default tolerance of half an hour', async () => {
    await start({ hmac: DAILY_HMAC }, { tolerance: undefined });
    const at = (seconds: number) => dailyDelivery(event('a'), { timestamp: Date.now() - seconds * 1000 });
    should((await deliver(at(1790))).status).equal(200);
    should((await deliver(at(1810))).status).equal(401);
  });

  it('accepts no GET, even if an imported flow says so', async () => {
    await start({ hmac: DAILY_HMAC }, { acceptGet: true });
    const answer = await exchange(stage.port, { path: '/daily', method: 'GET' });
    should([answer.status, answer.headers['allow']]).deepEqual([405, 'POST']);
  });

  for (const [what, credentials] of Object.entries({
    'no secret': {},
    'an invalid secret': { hmac: 'no base64!' },
    'an unset variable': { hmac: '${NOT_SET_ANYWHERE}' }
  })) {
    it(`reports ${what}, answers the test request, and asks for a retry of everything else`, async () => {
      Reflect.deleteProperty(process.env, 'DAILY_HMAC_SECRET');
      await start(credentials);
      const missing = what === 'no secret';
      const text = missing ? 'no secret' : 'BAD_PUBLIC_KEY';
      should(stage.status('daily-webhook')).deepEqual({ ...RED_RING, text });
      // The fault of the account reaches the Catch nodes, too.
      const codes = missing ? ['NO_PUBLIC_KEY'] : ['BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY'];
      await stage.messages('caught', codes.length);
      should(stage.caught.map(({ code }) => code)).deepEqual(codes);
      should(JSON.stringify(stage.caught.map(({ message }) => message))).not.containEql('no base64!');
      should((await deliver(dailyDelivery('{"test":"test"}'))).status).equal(200);
      const answer = await deliver(dailyDelivery(event('one')));
      should(answer.status).equal(503);
      should(answer.headers).have.property('retry-after');
      should(stage.received('events')).be.empty();
    });
  }

  it('reads secret and key from the environment, and reports when a key is only a name', async () => {
    process.env['DAILY_HMAC_SECRET'] = DAILY_HMAC;
    await start({ apiKey: '${NOT_SET_ANYWHERE}' });
    should((await deliver(dailyDelivery(event('one')))).status).equal(200);
    await stage.until('the error', () => stage.caught.some(({ code }) => code === 'BAD_SETTING'));
    should(stage.caught[0]?.message).match(/"API key" names an environment variable that is not set/);
  });
});
