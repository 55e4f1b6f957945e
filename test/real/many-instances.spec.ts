import { readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { config, node, recorder } from '../support/flows';
import type { FlowNode } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** A second way into the flow, which the flow answers: with a number of its own for each call. */
const ANSWERING: FlowNode[] = [
  node('texml', 'telnyx-webhook-in', {
    ...{ account: 'account', path: '/texml', reply: 'flow', replyTimeout: 10, queue: 'queue' },
    ...{ health: false, outputs: 1, wires: [['seen-texml', 'decide']] }
  }),
  node('decide', 'function', {
    func: `
      msg.headers = { 'content-type': 'application/xml' };
      msg.payload = '<Response><Say>' + Math.random() + '</Say></Response>';
      return msg;`,
    wires: [['answer']]
  }),
  node('answer', 'http response', { statusCode: '200', headers: {} }),
  ...recorder('seen-texml', 'texml.jsonl')
];

describe('two Node-REDs with one queue receive', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let a: WebhookInstance;
  let b: WebhookInstance;

  const flow = (url: string, queue: Record<string, unknown> = {}): FlowNode[] => [
    ...webhookFlow({ queue: 'queue' }, ANSWERING),
    config('queue', 'telnyx-queue', { url, prefix: 'telnyx', whenAway: 'hold', ...queue })
  ];
  const deliver = async (to: WebhookInstance, id: string): Promise<number> =>
    (await to.deliver(jsonDelivery(holdEvent(id)))).status;
  const copies = async (of: WebhookInstance, id: string): Promise<number> =>
    (await of.settled()).filter(({ event }) => event?.['id'] === id).length;
  const has = (of: WebhookInstance, text: RegExp, since = 0) =>
    until(String(text), () => text.test(of.nodeRed.log.slice(since)));

  /** The note in Redis of how far an instance has told the others what it accepted; it is gone with everything else. */
  const told = (of: WebhookInstance) => {
    const id = readFileSync(path.join(of.nodeRed.userDir, 'telnyx', 'instance'), 'utf8').trim();
    const isTold = async (): Promise<boolean> =>
      (await redis.say(`EXISTS {telnyx}:identities-told:${id}`)).startsWith(':1');
    return until('the identities in Redis', isTold, { deadline: 60_000 });
  };

  before(async function () {
    redis = await RedisServer.start(this);
    [a, b] = await Promise.all([
      WebhookInstance.start({ flow: flow(redis.url) }),
      WebhookInstance.start({ flow: flow(redis.url) })
    ]);
    for (const one of [a, b]) await has(one, /Redis \(.*\) answers/);
  });

  after(async () => {
    const started = [a, b] as (WebhookInstance | undefined)[];
    await Promise.all(started.map(async (one) => one?.stop()));
    await (redis as RedisServer | undefined)?.close();
  });

  it('each event once, whichever of them gets a copy', async () => {
    should(await deliver(a, 'twice')).equal(200);
    should(await deliver(b, 'twice')).equal(200);
    should([await copies(a, 'twice'), await copies(b, 'twice')]).eql([1, 0]);
    const both = await Promise.all([deliver(a, 'at-once'), deliver(b, 'at-once')]);
    should(both).eql([200, 200]);
    should((await copies(a, 'at-once')) + (await copies(b, 'at-once'))).equal(1);
  });

  it('what the flow of one has answered is the answer of the other', async () => {
    const texml = (to: WebhookInstance) => to.deliver(jsonDelivery(holdEvent('asked')), '/texml');
    const first = await texml(a);
    should(first.status).equal(200);
    const second = await texml(b);
    should(second.body.toString()).equal(first.body.toString());
    should(second.headers['content-type']).equal(first.headers['content-type']);
    should(b.nodeRed.recorded('texml.jsonl')).have.length(0);
  });

  it('and lose nothing while Redis is away; what one has accepted meanwhile, the others learn afterwards', async () => {
    const from = a.nodeRed.log.length;
    await redis.kill();
    should(await deliver(a, 'while-away')).equal(200);
    should(await deliver(a, 'while-away')).equal(200);
    should(await copies(a, 'while-away')).equal(1);
    await has(a, /QUEUE_AWAY/, from);
    await redis.run();
    await has(a, /Redis \(.*\) answers/, from);
    await told(a);
    should(await deliver(b, 'while-away')).equal(200);
    should(await copies(b, 'while-away')).equal(0);
  });

  it('and know after Redis was emptied what they have accepted', async () => {
    should(await deliver(a, 'before')).equal(200);
    await redis.flush();
    await told(a);
    should(await deliver(b, 'before')).equal(200);
    should(await copies(b, 'before')).equal(0);
  });

  it('and are deployed, and receive, while Redis does not answer', async () => {
    redis.freeze();
    try {
      const begun = performance.now();
      await a.nodeRed.deploy(flow(redis.url));
      should(performance.now() - begun).be.below(5000);
      should(await deliver(a, 'frozen')).equal(200);
    } finally {
      redis.thaw();
    }
  });

  it('or ask the sender to try again where the disk does not last', async () => {
    await a.nodeRed.deploy(flow(redis.url, { whenAway: 'refuse' }));
    await until('Redis', async () => (await deliver(a, 'refuse-1')) === 200);
    await redis.kill();
    await until('a refusal', async () => (await deliver(a, `refuse-${Math.random()}`)) === 503);
    await redis.run();
    await until('Redis', async () => (await deliver(a, 'refuse-2')) === 200);
  });
});
