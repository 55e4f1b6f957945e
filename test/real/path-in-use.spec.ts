import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { recorder, webhookIn } from '../support/flows';
import { nodeStatus } from '../support/node-statuses';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

describe('two webhook nodes on one path', () => {
  const second = (properties: Record<string, unknown> = {}) =>
    webhookIn({ id: 'second', path: '/TELNYX/', wires: [['seen-second']], ...properties });
  const both = (properties: Record<string, unknown> = {}) =>
    webhookFlow({}, [second(properties), ...recorder('seen-second', 'second.jsonl')]);
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    instance = await WebhookInstance.start({ flow: both() });
  });
  after(() => instance.stop());

  const deliverAndLook = async (id: string) => {
    should((await instance.deliver(jsonDelivery(holdEvent(id)))).status).equal(200);
    await instance.settled();
    const seenBy = (file?: string) =>
      instance.nodeRed.recorded(file).filter(({ event }) => event?.['id'] === id).length;
    return { first: seenBy(), second: seenBy('second.jsonl') };
  };

  it('the second does not listen and shows PATH_IN_USE in red', async () => {
    const status = await nodeStatus(instance.nodeRed, 'second', ({ fill }) => fill === 'red');
    should(status.text).match(/path.in.use/i);
    should(instance.nodeRed.log).match(/telnyx-webhook-in:second.*PATH_IN_USE/);
  });

  it('the first keeps working', async () => {
    should(await deliverAndLook('one')).deepEqual({ first: 1, second: 0 });
  });

  it('even when only the second is deployed again', async () => {
    await instance.nodeRed.deploy(both({ name: 'again' }), 'nodes');
    should(await deliverAndLook('two')).deepEqual({ first: 1, second: 0 });
    await nodeStatus(instance.nodeRed, 'second', ({ fill }) => fill === 'red');
  });

  it('the second takes over when the first gets another path and both are deployed', async () => {
    const moved = both().map((node) => (node.id === 'webhook' ? { ...node, path: '/elsewhere' } : node));
    await instance.nodeRed.deploy(moved, 'full');
    const { status } = await instance.deliver(jsonDelivery(holdEvent('three')));
    should(status).equal(200);
    const [message] = await instance.nodeRed.messages(1, { file: 'second.jsonl' });
    should(message?.event?.['id']).equal('three');
    await nodeStatus(instance.nodeRed, 'second', ({ fill }) => fill === 'green');
  });
});
