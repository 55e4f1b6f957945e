import { randomUUID } from 'node:crypto';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { account, functionNode, node, TAB, tab, webhookIn } from '../support/flows';
import { type DeploymentType, type FlowNode, RECEIVED_FILE } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const OTHER_TAB = 'tab0000000000002';

interface Branch {
  path: string;
  /** The nodes that get its deliveries. */
  at: readonly string[];
  /** How often each delivery is sent once it is accepted. */
  copies: number;
}

/** One for each way to accept. */
const BRANCHES: readonly Branch[] = [
  { path: '/kept', at: ['seen', 'seen-2', 'seen-3', 'sub-seen-4', 'seen-5'], copies: 1 },
  { path: '/not-kept', at: ['seen-6'], copies: 1 },
  { path: '/passed-on', at: ['seen-7', 'seen-8'], copies: 2 },
  { path: '/answered', at: ['seen-9'], copies: 1 }
];

const ends = (id: string): FlowNode => functionNode(id, 'return null;');

/**
 * The first webhook node is wired to a node, a junction, a link to another tab, and a subflow. A Complete node makes more
 * messages with the same ids, and a neighbour closes slowly.
 */
function flowOf(changes: Record<string, Record<string, unknown>> = {}): FlowNode[] {
  const flow: FlowNode[] = [
    tab(),
    { ...tab(), id: OTHER_TAB },
    account({ publicKeys: TRUSTED.publicKey }),
    webhookIn({ path: '/kept', wires: [['seen', 'junction', 'out', 'sub']] }),
    ends('seen'),
    node('junction', 'junction', { wires: [['seen-2']] }),
    ends('seen-2'),
    node('out', 'link out', { mode: 'link', links: ['in'], wires: [] }),
    node('in', 'link in', { z: OTHER_TAB, links: ['out'], wires: [['seen-3']] }),
    { ...ends('seen-3'), z: OTHER_TAB },
    {
      id: 'subflow',
      type: 'subflow',
      name: '',
      info: '',
      in: [{ x: 1, y: 1, wires: [{ id: 'seen-4' }, { id: 'passes' }] }],
      out: [{ x: 2, y: 2, wires: [{ id: 'passes', port: 0 }] }]
    },
    { ...ends('seen-4'), z: 'subflow' },
    node('passes', 'junction', { z: 'subflow' }),
    node('sub', 'subflow:subflow', { wires: [['seen-5']] }),
    ends('seen-5'),
    node('complete', 'complete', {
      scope: ['seen', 'seen-6', 'seen-9'],
      uncaught: false,
      wires: [['after']]
    }),
    ends('after'),
    { ...webhookIn({ path: '/not-kept', keep: 0, wires: [['seen-6']] }), id: 'webhook-0' },
    ends('seen-6'),
    {
      ...webhookIn({ path: '/passed-on', duplicates: 'pass', wires: [['seen-7', 'seen-8']] }),
      id: 'webhook-pass'
    },
    ends('seen-7'),
    ends('seen-8'),
    {
      ...webhookIn({ path: '/answered', reply: 'flow', replyTimeout: 2, wires: [['seen-9']] }),
      id: 'webhook-flow'
    },
    functionNode('seen-9', 'return msg;', { wires: [['response']] }),
    node('response', 'http response', { statusCode: '', headers: {} }),
    node('slow', 'test-slow-close')
  ];
  return flow.map((one) => ({ ...one, ...changes[one.id] }));
}

type Deploy = readonly [type: DeploymentType, flow: (round: number) => FlowNode[]];

/** Renames nodes, which restarts them. */
const renamed =
  (...ids: string[]) =>
  (round: number): FlowNode[] =>
    flowOf(Object.fromEntries(ids.map((id) => [id, { name: `${round}` }])));
const without =
  (...ids: string[]) =>
  (): FlowNode[] =>
    flowOf().filter(({ id }) => !ids.includes(id));
const as = (changes: Record<string, Record<string, unknown>>) => (): FlowNode[] => flowOf(changes);
const WEBHOOKS = ['webhook', 'webhook-0', 'webhook-pass', 'webhook-flow'];

/** Every kind of deploy; each stops different nodes. What is taken away comes back with the next one. */
const DEPLOYS: readonly Deploy[] = [
  ['full', as({})],
  ['full', renamed('webhook', 'seen-6')],
  ['reload', as({})],
  ['nodes', renamed(...WEBHOOKS)],
  ['nodes', renamed('seen', 'seen-6', 'seen-7', 'seen-9')],
  ['nodes', renamed('seen-2', 'seen-8', 'slow')],
  ['nodes', renamed('junction', 'out')],
  ['nodes', renamed('in')],
  ['nodes', renamed('seen-4', 'subflow')],
  ['nodes', renamed('sub', 'passes')],
  ['nodes', renamed('complete', 'seen')],
  ['nodes', renamed('account')],
  [
    'nodes',
    renamed('webhook', 'seen', 'webhook-0', 'seen-6', 'webhook-pass', 'seen-8', 'webhook-flow', 'seen-9')
  ],
  ['flows', renamed('slow')],
  ['flows', renamed('seen', 'slow')],
  ['flows', renamed('seen-3')],
  ['full', without(...WEBHOOKS)],
  ['full', as({})],
  ['nodes', without('webhook', 'webhook-pass')],
  ['nodes', as({})],
  ['flows', without('webhook-0', 'webhook-flow')],
  ['flows', as({})],
  ['flows', as({ [TAB]: { disabled: true } })],
  ['flows', as({})],
  ['full', as({ [TAB]: { disabled: true } })],
  ['reload', as({ [TAB]: { disabled: true } })],
  ['full', as({})],
  ['nodes', as({ webhook: { d: true }, 'webhook-pass': { d: true } })],
  ['nodes', as({})],
  ['nodes', as({ webhook: { wires: [['sub', 'junction', 'out', 'seen']] } })]
];

/** How many paths a flow serves. */
function pathsOf(flow: readonly FlowNode[]): number {
  if (flow.some((one) => one['disabled'] === true)) return 0;
  return flow.filter((one) => WEBHOOKS.includes(one.id) && one['d'] !== true).length;
}

/** Senders that retry whatever was not answered 200, as providers do. */
class Load {
  /** How often each delivery was answered 200, by branch. */
  readonly accepted = BRANCHES.map(() => new Map<string, number>());
  /** Deliveries of which one request had another end. */
  readonly retried = new Set<string>();
  readonly statuses = new Set<number>();
  #count = 0;
  #isGoing = true;
  readonly #done: Promise<unknown>;

  constructor(instance: WebhookInstance, lanes = 8) {
    const lane = async (branch: number): Promise<void> => {
      const { path, copies } = BRANCHES[branch]!;
      const accepted = this.accepted[branch]!;
      for (let id = randomUUID(); this.#isGoing;) {
        const status = await instance.deliver(jsonDelivery(holdEvent(id)), path).then(
          (answer) => answer.status,
          () => null
        );
        if (status !== null) this.statuses.add(status);
        if (status !== 200) {
          this.retried.add(id);
          continue;
        }
        const times = (accepted.get(id) ?? 0) + 1;
        accepted.set(id, times);
        if (times === 1) this.#count += 1;
        if (times === copies) id = randomUUID();
      }
    };
    this.#done = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number % BRANCHES.length)));
  }

  /** Deliveries answered 200, without their copies. */
  get count(): number {
    return this.#count;
  }

  async reaches(count: number): Promise<void> {
    while (this.#count < count) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    this.#isGoing = false;
    await this.#done;
  }
}

/** How often each delivery came to each node, by the name of the node. */
function arrivals(instance: WebhookInstance): Map<string, Map<string, number>> {
  const times = new Map<string, Map<string, number>>();
  for (const message of instance.nodeRed.recorded(RECEIVED_FILE)) {
    const at = String(message['at']);
    const here = times.get(at) ?? new Map<string, number>();
    times.set(at, here);
    const id = String(message.event?.['id']);
    here.set(id, (here.get(id) ?? 0) + 1);
  }
  return times;
}

/** What is wrong with the arrivals, in words. */
function faults(instance: WebhookInstance, loads: readonly Load[], isWrong: typeof isLost): string[] {
  const times = arrivals(instance);
  return BRANCHES.flatMap(({ path, at }, branch) =>
    loads.flatMap((load) =>
      [...load.accepted[branch]!].flatMap(([id, accepted]) =>
        at.flatMap((name) => {
          const came = times.get(name)?.get(id) ?? 0;
          return isWrong({ came, accepted, isRetried: path === '/answered' && load.retried.has(id) })
            ? [`${path}: ${id} was accepted ${accepted} times and came to ${name} ${came} times`]
            : [];
        })
      )
    )
  );
}

interface Arrival {
  came: number;
  accepted: number;
  /** Whether the flow had to answer, and a deploy cut off one of its answers. */
  isRetried: boolean;
}

const isLost = ({ came, accepted }: Arrival): boolean => came < accepted;
const isRepeated = ({ came, accepted, isRetried }: Arrival): boolean => came > accepted && !isRetried;

/** With `TEST_FULL_LOAD=1` as much as the package promises to survive; otherwise each kind of deploy once. */
const SIZE =
  process.env['TEST_FULL_LOAD'] === '1'
    ? { deliveries: 10_000, deploys: 2 * DEPLOYS.length, kills: 20 }
    : { deliveries: 5000, deploys: DEPLOYS.length, kills: 8 };

describe('a load of deliveries', function () {
  this.timeout(1_200_000);
  let instance: WebhookInstance;

  beforeEach(async () => {
    instance = await WebhookInstance.start({ flow: flowOf(), probe: true });
  });
  afterEach(() => instance.stop());

  /** Waits for everything that was accepted. */
  const arrived = async (loads: readonly Load[]): Promise<void> => {
    let missing: string[] = [];
    await until(
      'all deliveries',
      () => ((missing = faults(instance, loads, isLost)).length === 0 ? true : undefined),
      { deadline: 30_000 }
    ).catch(() => undefined);
    should(missing).eql([]);
  };

  it(`loses none of ${SIZE.deliveries} over ${SIZE.deploys} deploys of all kinds, and none comes twice`, async () => {
    const load = new Load(instance);
    const { deploys, deliveries } = SIZE;
    for (let round = 0; round < deploys; round += 1) {
      const [type, flow] = DEPLOYS[round % DEPLOYS.length]!;
      await instance.nodeRed.deploy(flow(round), type);
      const paths = pathsOf(flow(round));
      if (paths === BRANCHES.length) await load.reaches((deliveries * (round + 1)) / deploys);
      else if (paths > 0) await load.reaches(load.count + 20);
    }
    await load.stop();
    await arrived([load]);
    should([...load.statuses].sort()).eql([200, 503]);
    should(load.count).be.aboveOrEqual(deliveries);
    for (const { size } of load.accepted) should(size).be.above(deliveries / 20);
    // Nothing is left over for the next start.
    await instance.nodeRed.restart();
    const last = new Load(instance);
    await last.reaches(50);
    await last.stop();
    await arrived([last]);
    should(faults(instance, [load, last], isRepeated)).eql([]);
  });

  it(`brings everything that was answered 200 to the flow, over ${SIZE.kills} kills at random moments`, async () => {
    const { nodeRed } = instance;
    const loads: Load[] = [];
    for (let round = 0; round < SIZE.kills; round += 1) {
      const load = new Load(instance);
      loads.push(load);
      // At least a few, so that each round has something to lose; then a random moment within half a second.
      await load.reaches(20);
      await new Promise((resolve) => setTimeout(resolve, 500 * Math.random()));
      const stopped = load.stop();
      await nodeRed.kill();
      await stopped;
      await nodeRed.start();
    }
    await arrived(loads);
    should(loads.reduce((sum, { count }) => sum + count, 0)).be.aboveOrEqual(20 * SIZE.kills);
  });
});
