import path from 'node:path';
import should from 'should';
import { StateDatabase } from '../../src/state/state-database';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import type { RawAnswer } from '../support/http-client';
import { node } from '../support/flows';
import { type DeploymentType, RECEIVED_FILE } from '../support/node-red-process';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

interface Sent {
  id: string;
  answer: RawAnswer;
}

/** Keeps deliveries coming on several connections until told to stop. */
class Sender {
  readonly sent: Sent[] = [];
  #going = true;
  readonly #done: Promise<unknown>;

  constructor(instance: WebhookInstance, name: string, lanes = 4) {
    const lane = async (number: number) => {
      for (let count = 0; this.#going; count += 1) {
        const id = `${name}-${number}-${count}`;
        this.sent.push({ id, answer: await instance.deliver(jsonDelivery(holdEvent(id))) });
      }
    };
    this.#done = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  }

  async stop(): Promise<Sent[]> {
    this.#going = false;
    await this.#done;
    return this.sent;
  }
}

/** With a neighbour that closes slowly, so that every deploy has a gap. */
const flowNamed = (name: string) => webhookFlow({ name }, [node('slow', 'test-slow-close', { name })]);

describe('deploys while deliveries come in', () => {
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    instance = await WebhookInstance.start({ flow: flowNamed('first'), probe: true });
  });
  after(() => instance.stop());

  const deployTwelveTimes = async (type: DeploymentType) => {
    for (let round = 0; round < 12; round += 1) {
      await instance.nodeRed.deploy(flowNamed(`${type} ${round}`), type);
    }
  };

  for (const type of ['full', 'nodes', 'flows'] as const) {
    it(`${type}: only 200 or 503, and each accepted delivery is one message`, async function () {
      this.timeout(60_000);
      const sender = new Sender(instance, type);
      await deployTwelveTimes(type);
      const sent = await sender.stop();
      const statuses = [...new Set(sent.map(({ answer }) => answer.status))].sort();
      should(statuses).deepEqual([200, 503]);
      for (const { answer } of sent.filter(({ answer: { status } }) => status === 503)) {
        should(Number(answer.headers['retry-after'])).be.above(0);
      }
      const accepted = sent.filter(({ answer }) => answer.status === 200).map(({ id }) => id);
      should(accepted.length).be.above(20);
      await instance.settled();
      const left = instance.nodeRed.recorded(RECEIVED_FILE).map(({ event }) => String(event?.['id']));
      should(left.filter((id) => id.startsWith(`${type}-`)).sort()).deepEqual(accepted.sort());
    });
  }

  it('a retry of what was answered 503 during a deploy is accepted', async function () {
    this.timeout(60_000);
    const sender = new Sender(instance, 'retried');
    await deployTwelveTimes('full');
    const refused = (await sender.stop()).filter(({ answer }) => answer.status === 503);
    for (const { id } of refused) {
      should((await instance.deliver(jsonDelivery(holdEvent(id)))).status).equal(200);
    }
    await instance.settled();
    const left = instance.nodeRed.recorded(RECEIVED_FILE).map(({ event }) => event?.['id']);
    for (const { id } of refused) should(left.filter((other) => other === id)).have.length(1);
  });

  it('after five more deploys an event is still one message', async function () {
    this.timeout(60_000);
    for (const type of ['full', 'nodes', 'flows', 'full', 'nodes'] as const) {
      await instance.nodeRed.deploy(webhookFlow({ name: `again ${type}` }), type);
    }
    should((await instance.deliver(jsonDelivery(holdEvent('after')))).status).equal(200);
    const seen = (await instance.settled()).filter(({ event }) => event?.['id'] === 'after');
    should(seen).have.length(1);
  });

  it('a duplicate is known across a deploy', async () => {
    should((await instance.deliver(jsonDelivery(holdEvent('remembered')))).status).equal(200);
    await instance.nodeRed.deploy(webhookFlow({ name: 'fresh' }), 'full');
    should((await instance.deliver(jsonDelivery(holdEvent('remembered')))).status).equal(200);
    await instance.settled();
    const seen = instance.nodeRed
      .recorded(RECEIVED_FILE)
      .filter(({ event }) => event?.['id'] === 'remembered');
    should(seen).have.length(1);
  });

  const shouldBeAskedToTryAgain = async (): Promise<void> => {
    const gone = await instance.deliver(jsonDelivery(holdEvent()));
    should(gone.status).equal(503);
    should(Number(gone.headers['retry-after'])).be.above(0);
  };

  it('a changed path is served, and senders to the old one are asked to try again', async () => {
    await instance.nodeRed.deploy(webhookFlow({ path: '/moved' }), 'nodes');
    should((await instance.deliver(jsonDelivery(holdEvent()), '/moved')).status).equal(200);
    await shouldBeAskedToTryAgain();
    await instance.nodeRed.deploy(webhookFlow(), 'nodes');
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
  });

  it('a disabled node asks senders to try again, and serves again when enabled', async () => {
    await instance.nodeRed.deploy(webhookFlow({ d: true }), 'full');
    await shouldBeAskedToTryAgain();
    await instance.nodeRed.deploy(webhookFlow(), 'full');
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
  });

  it('a deleted node asks senders to try again, even after a restart, and an undo accepts what was refused', async function () {
    this.timeout(60_000);
    const { nodeRed } = instance;
    await nodeRed.deploy(flowNamed('before'));
    const sender = new Sender(instance, 'deleted', 2);
    const without = flowNamed('after').filter(({ id }) => id !== 'webhook');
    await nodeRed.deploy(without);
    await shouldBeAskedToTryAgain();
    const statuses = new Set((await sender.stop()).map(({ answer }) => answer.status));
    should([...statuses].filter((status) => status !== 200 && status !== 503)).be.empty();
    await nodeRed.restart();
    await shouldBeAskedToTryAgain();
    await nodeRed.deploy(flowNamed('before'));
    for (const { id, answer } of sender.sent) {
      if (answer.status === 503)
        should((await instance.deliver(jsonDelivery(holdEvent(id)))).status).equal(200);
    }
    await instance.settled();
    const came = nodeRed.recorded(RECEIVED_FILE).map(({ event }) => String(event?.['id']));
    const expected = [...new Set(sender.sent.map(({ id }) => id))].sort();
    should(came.filter((id) => id.startsWith('deleted-')).sort()).deepEqual(expected);
  });

  it('the path of a deleted node is 404 after ten minutes, but another node can serve it at once', async function () {
    this.timeout(60_000);
    const { nodeRed } = instance;
    const without = flowNamed('after').filter(({ id }) => id !== 'webhook');
    await nodeRed.deploy(without);
    await nodeRed.stop({ keep: true });
    const database = new StateDatabase(path.join(nodeRed.userDir, 'telnyx'));
    const paths = database.collection<{ removedAt: number | null }>('webhook-paths');
    should(paths.get('/telnyx')?.removedAt).be.within(Date.now() - 60_000, Date.now());
    await paths.put('/telnyx', { removedAt: Date.now() - 10 * 60_000 });
    await database.close();
    await nodeRed.start();
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(404);

    await nodeRed.deploy(flowNamed('again'));
    await nodeRed.deploy([
      ...without,
      node('other', 'http in', { url: '/telnyx', method: 'post', upload: false, wires: [['answer']] }),
      node('answer', 'http response', { statusCode: '202', headers: {}, wires: [] })
    ]);
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(202);
    await nodeRed.deploy(
      flowNamed('again').map((one) => (one.id === 'webhook' ? { ...one, id: 'webhook-2' } : one))
    );
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
  });
});
