import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { config, functionNode, node, recorder } from '../support/flows';
import type { RawAnswer } from '../support/http-client';
import type { FlowNode } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** The flow keeps what it gets until `GET /go?length=` makes it answer with a text of this length. */
const HOLDING: FlowNode[] = [
  node('texml', 'telnyx-webhook-in', {
    ...{ account: 'account', path: '/texml', reply: 'flow', replyTimeout: 3, queue: 'queue' },
    ...{ health: false, outputs: 1, wires: [['seen-texml', 'hold']] }
  }),
  node('go', 'http in', { url: '/go', method: 'get', upload: false, swaggerDoc: '', wires: [['hold']] }),
  functionNode(
    'hold',
    `
    if (msg.event) { context.set('held', msg); return null; }
    const held = context.get('held');
    context.set('held', null);
    held.headers = { 'content-type': 'application/xml' };
    held.payload = 'x'.repeat(Number(msg.req.query.length));
    return [[held, { ...msg, payload: 'went' }]];`,
    { wires: [['answer']] }
  ),
  node('answer', 'http response', { statusCode: '200', headers: {} }),
  ...recorder('seen-texml', 'texml.jsonl')
];

describe('a delivery that two Node-REDs get at once', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let directory: string;
  let a: WebhookInstance;
  let b: WebhookInstance;

  const flow = (): FlowNode[] => [
    ...webhookFlow({ queue: 'queue' }, HOLDING),
    node('second', 'telnyx-webhook-in', {
      ...{ account: 'account', path: '/second', reply: 'at-once', queue: 'queue', health: false },
      ...{ outputs: 1, wires: [['seen-second']] }
    }),
    ...recorder('seen-second', 'second.jsonl'),
    config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' })
  ];
  const deliver = (to: WebhookInstance, id: string, where?: string): Promise<RawAnswer> =>
    to.deliver(jsonDelivery(holdEvent(id)), where);
  const copies = (of: WebhookInstance, id: string, file?: string): number =>
    of.nodeRed.recorded(file).filter(({ event }) => event?.['id'] === id).length;
  const recovered = (of: WebhookInstance, id: string): unknown[] =>
    of.nodeRed.recorded().flatMap(({ event }) => (event?.['id'] === id ? [event['recovered']] : []));

  /** The flow of an instance answers what it holds. */
  const answer = async (of: WebhookInstance, length: number): Promise<void> => {
    const response = await fetch(`${of.nodeRed.url}/go?length=${length}`);
    should(await response.text()).equal('went');
  };
  const isHeld = (by: WebhookInstance, id: string) =>
    until(`${id} at the flow`, () => copies(by, id, 'texml.jsonl') === 1);
  const dieAfter = (text: string): void => writeFileSync(path.join(directory, 'dies-after'), text);

  /** Whether a promise is not settled after everything else that is under way in an instance. */
  const stillWaits = async (promise: Promise<unknown>, at: WebhookInstance): Promise<boolean> => {
    let isSettled = false;
    const settle = (): void => void (isSettled = true);
    promise.then(settle, settle);
    await at.settled();
    return !isSettled;
  };

  const identities = async (kind: string): Promise<string[]> => {
    const keys = (await redis.say('KEYS {telnyx}:identity:*'))
      .split('\r\n')
      .filter((key) => key.startsWith('{'));
    const marks = await Promise.all(keys.map(async (key) => [key, await redis.say(`GET ${key}`)] as const));
    return marks.flatMap(([key, mark]) => (mark.includes(`\r\n${kind} `) ? [key] : []));
  };

  /** The time of what is under way is over, as thirty seconds after its process ended. */
  const claimsEnd = async (): Promise<void> => {
    for (const key of await identities('c')) await redis.say(`PEXPIRE ${key} 1`);
  };

  before(async function () {
    redis = await RedisServer.start(this);
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-claims-'));
    [a, b] = await Promise.all([
      WebhookInstance.start({
        flow: flow(),
        env: { DIES_AFTER_FILE: path.join(directory, 'dies-after') },
        nodeArgs: ['--require', path.join(__dirname, '../support/dies-after-write.cjs')]
      }),
      WebhookInstance.start({ flow: flow() })
    ]);
    for (const { nodeRed } of [a, b]) await nodeRed.waitForLog(/Redis \(.*\) answers/);
  });

  after(async () => {
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (redis as RedisServer | undefined)?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('waits at the second one for the answer of the flow of the first, up to 16 kB of it', async () => {
    for (const [id, length] of [
      ['small', 16 * 1024],
      ['large', 16 * 1024 + 1]
    ] as const) {
      const first = deliver(a, id, '/texml');
      await isHeld(a, id);
      const second = deliver(b, id, '/texml');
      should(await stillWaits(second, b)).be.true();
      await answer(a, length);
      should((await first).body.length).equal(length);
      should((await second).status).equal(200);
      // What is too large for Redis is accepted all the same, and answered without a body.
      should((await second).body.length).equal(id === 'small' ? length : 0);
      should(copies(b, id, 'texml.jsonl')).equal(0);
    }
  });

  it('is refused by both when the first does not answer, and its retry is accepted', async () => {
    const first = deliver(a, 'never', '/texml');
    await isHeld(a, 'never');
    const second = deliver(b, 'never', '/texml');
    should((await first).status).equal(503);
    should((await second).status).equal(503);
    const retry = deliver(b, 'never', '/texml');
    await isHeld(b, 'never');
    await answer(b, 5);
    should((await retry).body.toString()).equal('xxxxx');
    should((await deliver(a, 'never', '/texml')).body.toString()).equal('xxxxx');
  });

  it('is one delivery for the same node in both, and another one for each other node', async () => {
    for (const [at, where] of [
      [a, '/telnyx'],
      [b, '/second'],
      [a, '/second'],
      [b, '/telnyx']
    ] as const)
      should((await deliver(at, 'scoped', where)).status).equal(200);
    for (const where of ['/telnyx', '/second'])
      for (const one of [a, b]) await one.settled(where, where === '/second' ? 'second.jsonl' : undefined);
    should([copies(a, 'scoped'), copies(b, 'scoped')]).eql([1, 0]);
    should([copies(a, 'scoped', 'second.jsonl'), copies(b, 'scoped', 'second.jsonl')]).eql([0, 1]);
  });

  it('is handed over after a crash by the one that has it on disk, while the other one waits', async () => {
    dieAfter('back-in-time');
    await deliver(a, 'back-in-time').catch(() => undefined);
    dieAfter('');
    const second = deliver(b, 'back-in-time');
    should(await stillWaits(second, b)).be.true();
    await a.nodeRed.start();
    should((await second).status).equal(200);
    await until('the hand-over', () => copies(a, 'back-in-time') === 1);
    should(recovered(a, 'back-in-time')).eql([true]);
    should(copies(b, 'back-in-time')).equal(0);
  });

  it('is dropped after a crash by the one that has it on disk, when the other one has accepted the retry', async () => {
    dieAfter('too-late');
    await deliver(a, 'too-late').catch(() => undefined);
    dieAfter('');
    const second = deliver(b, 'too-late');
    should(await stillWaits(second, b)).be.true();
    await claimsEnd();
    should((await second).status).equal(503);
    should((await deliver(b, 'too-late')).status).equal(200);
    await a.nodeRed.start();
    await a.settled();
    await b.settled();
    should([copies(a, 'too-late'), copies(b, 'too-late')]).eql([0, 1]);
  });
});
