import { randomUUID } from 'node:crypto';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { functionNode, node } from '../support/flows';
import { type DeploymentType, type FlowNode, RECEIVED_FILE } from '../support/node-red-process';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** Wired to two nodes, one of them behind a junction, and with a neighbour that closes slowly. */
function flowOf(changes: Record<string, Record<string, unknown>> = {}): FlowNode[] {
  const flow = webhookFlow({ wires: [['seen', 'junction']] }, [
    node('junction', 'junction', { wires: [['seen-2']] }),
    functionNode('seen-2', 'return null;'),
    node('slow', 'test-slow-close')
  ]);
  return flow.map((one) => ({ ...one, ...changes[one.id] }));
}

/** Every kind of deploy; each stops different nodes. */
const DEPLOYS: readonly (readonly [type: DeploymentType, flow: (round: number) => FlowNode[]])[] = [
  ['full', () => flowOf()],
  ['full', (round) => flowOf({ webhook: { name: `full ${round}` } })],
  ['nodes', (round) => flowOf({ webhook: { name: `nodes ${round}` } })],
  ['nodes', (round) => flowOf({ seen: { name: `${round}` } })],
  ['nodes', (round) => flowOf({ 'seen-2': { name: `${round}` }, slow: { name: `${round}` } })],
  ['nodes', (round) => flowOf({ junction: { name: `${round}` } })],
  ['nodes', (round) => flowOf({ seen: { name: `all ${round}` }, webhook: { name: `all ${round}` } })],
  ['nodes', (round) => flowOf({ account: { name: `${round}` } })],
  ['flows', (round) => flowOf({ slow: { name: `flows ${round}` } })],
  ['flows', (round) => flowOf({ seen: { name: `flows ${round}` }, slow: { name: `flows ${round}` } })],
  ['full', () => flowOf().filter(({ id }) => id !== 'webhook')],
  ['nodes', () => flowOf()]
];

/** Senders that retry whatever was not answered 200, as providers do. */
class Load {
  readonly accepted = new Set<string>();
  readonly statuses = new Set<number>();
  #isGoing = true;
  readonly #done: Promise<unknown>;

  constructor(instance: WebhookInstance, lanes = 8) {
    const lane = async (): Promise<void> => {
      for (let id = randomUUID(); this.#isGoing;) {
        const status = await instance.deliver(jsonDelivery(holdEvent(id))).then(
          (answer) => answer.status,
          () => null
        );
        if (status !== null) this.statuses.add(status);
        if (status !== 200) continue;
        this.accepted.add(id);
        id = randomUUID();
      }
    };
    this.#done = Promise.all(Array.from({ length: lanes }, lane));
  }

  async reaches(count: number): Promise<void> {
    while (this.accepted.size < count) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    this.#isGoing = false;
    await this.#done;
  }
}

/** How often each delivery came to the node `at`. */
function timesAt(instance: WebhookInstance, at: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const message of instance.nodeRed.recorded(RECEIVED_FILE)) {
    if (message['at'] !== at) continue;
    const id = String(message.event?.['id']);
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
}

const AT = ['seen', 'seen-2'];

describe('a load of deliveries', function () {
  this.timeout(600_000);
  let instance: WebhookInstance;

  beforeEach(async () => {
    instance = await WebhookInstance.start({ flow: flowOf(), probe: true });
  });
  afterEach(() => instance.stop());

  it('loses none of 10,000 over 60 deploys of all kinds, and none comes twice', async () => {
    const load = new Load(instance);
    const deploys = 60;
    for (let round = 0; round < deploys; round += 1) {
      const [type, flow] = DEPLOYS[round % DEPLOYS.length]!;
      await instance.nodeRed.deploy(flow(round), type);
      const hasPath = flow(round).some(({ id }) => id === 'webhook');
      if (hasPath) await load.reaches((10_000 * (round + 1)) / deploys);
    }
    await load.stop();
    await instance.settled();
    should([...load.statuses].sort()).eql([200, 503]);
    should(load.accepted.size).be.aboveOrEqual(10_000);
    for (const at of AT) {
      const times = timesAt(instance, at);
      should([...load.accepted].filter((id) => !times.has(id))).eql([], `lost at ${at}`);
      should([...load.accepted].filter((id) => times.get(id) !== 1)).eql([], `more than once at ${at}`);
    }
  });

  it('brings everything that was answered 200 to the flow, over 20 kills at random moments', async () => {
    const { nodeRed } = instance;
    const accepted = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const load = new Load(instance);
      // At least a few, so that each round has something to lose; then a random moment within half a second.
      await load.reaches(20);
      await new Promise((resolve) => setTimeout(resolve, 500 * Math.random()));
      const stopped = load.stop();
      await nodeRed.kill();
      await stopped;
      for (const id of load.accepted) accepted.add(id);
      await nodeRed.start();
    }
    await instance.settled();
    should(accepted.size).be.above(400);
    for (const at of AT) {
      const times = timesAt(instance, at);
      should([...accepted].filter((id) => !times.has(id))).eql([], `lost at ${at}`);
    }
  });
});
