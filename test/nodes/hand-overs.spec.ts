import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import should from 'should';
import type { FlowMessage, MessageHooks, NodeRedApi, ReceiveEvent, RedNode } from '../../nodes/lib/node-red';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { HandOvers } from '../../nodes/webhook/hand-overs';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { account, node, tab, webhookIn } from '../support/flows';
import { exchange, type RawAnswer } from '../support/http-client';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { NodeStage } from './node-stage';

const nodeRed = createRequire(require.resolve('node-red'));

interface Diff {
  changed: string[];
}

/** Node-RED's own runtime, which the test helper runs on. */
const flows = nodeRed('@node-red/runtime/lib/flows') as {
  stopFlows(type: string, diff?: Diff): Promise<void>;
  startFlows(type: string, diff?: Diff): Promise<void>;
};
const { hooks } = nodeRed('@node-red/util') as {
  hooks: {
    add(hook: string, listener: (event: never, done: () => void) => unknown): void;
    remove(hook: string): void;
  };
};
const core = (name: string) => nodeRed(`@node-red/nodes/core/common/${name}`) as (RED: NodeRedApi) => void;

/** Stops and starts flows as a deploy that changes these nodes does, from its first turn. */
async function restart(...changed: string[]): Promise<void> {
  const none = { added: [], removed: [], rewired: [], linked: [], flowChanged: [] };
  const diff = changed.length === 0 ? undefined : { ...none, changed };
  const type = diff === undefined ? 'full' : 'nodes';
  await flows.stopFlows(type, diff);
  await flows.startFlows(type, diff);
}

describe('a delivery on its way to the flow', () => {
  let stage: NodeStage;
  afterEach(async () => {
    hooks.remove('*.test');
    await stage.unload();
  });

  async function start(more: object[], properties: object = {}): Promise<void> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn, core('05-junction.js'), core('60-link.js')],
      [
        tab(),
        account({ publicKeys: TRUSTED.publicKey }),
        JSON.parse(JSON.stringify(webhookIn({ wires: [['events']], ...properties }))) as object,
        node('events', 'recorder', { wires: [] }),
        ...more
      ]
    );
  }
  const deliver = (id: string): Promise<RawAnswer> =>
    exchange(stage.port, { path: '/telnyx', ...jsonDelivery(holdEvent(id)) });
  const seen = (recorder = 'events'): string[] =>
    stage
      .received(recorder)
      .map(({ event }) => event as { id: string; recovered?: boolean })
      .map(({ id, recovered }) => (recovered === true ? `${id} again` : id));

  const seenOnce = (ids: readonly string[]): string[] => ids.map((id) => id.replace(' again', ''));

  /** Restarts nodes once, in the turn in which a message is sent or has reached a node. */
  function restartWhen(hook: 'onSend' | 'postReceive', changed: string[], at?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let isDone = false;
      hooks.add(`${hook}.test`, (event: { destination?: { id: string } }) => {
        if (isDone || (at !== undefined && event.destination?.id !== at)) return;
        isDone = true;
        restart(...changed).then(resolve, reject);
      });
    });
  }
  /** Delivers one last event: when it has come, so has everything before it. */
  async function settled(recorder = 'events'): Promise<string[]> {
    const id = `last ${Math.random()}`;
    (await deliver(id)).status.should.equal(200);
    await stage.until('the last one', () => seen(recorder).includes(id));
    return seen(recorder).filter((one) => one !== id);
  }

  it('is handed over again when a deploy of everything stops its nodes first', async () => {
    await start([]);
    const restarted = restartWhen('onSend', []);
    (await deliver('one')).status.should.equal(200);
    await restarted;
    (await settled()).should.eql(['one again']);
  });

  it('is handed over again by a node that the deploy leaves as it is', async () => {
    await start([]);
    const restarted = restartWhen('onSend', ['events']);
    (await deliver('one')).status.should.equal(200);
    await restarted;
    (await settled()).should.eql(['one again']);
  });

  it('is handed over again with its copy where copies are passed on, each once to each node', async () => {
    await start([node('others', 'recorder', { wires: [] })], {
      duplicates: 'pass',
      wires: [['events', 'others']]
    });
    (await deliver('one')).status.should.equal(200);
    let restarted: Promise<void> | undefined;
    // The deploy begins in the turn in which the second of two copies is sent: one node has the first already.
    let sent = 0;
    hooks.add('onSend.test', (events: readonly unknown[]) => {
      sent += Math.sign(events.length);
      if (sent === 2) restarted = restart('others');
    });
    const copies = [deliver('one'), deliver('one')];
    for (const { status } of await Promise.all(copies)) status.should.equal(200);
    await stage.until('the deploy', () => restarted !== undefined);
    await restarted;
    hooks.remove('*.test');
    for (const recorder of ['events', 'others']) {
      const came = (await settled(recorder)).filter((id) => id.startsWith('one'));
      seenOnce(came).should.eql(['one', 'one', 'one']);
      stage
        .received(recorder)
        .slice(0, 3)
        .map(({ event }) => (event as { duplicate: boolean }).duplicate)
        .should.eql([false, true, true]);
    }
  });

  it('comes only once when only the webhook node is deployed', async () => {
    await start([]);
    const restarted = restartWhen('onSend', ['webhook']);
    (await deliver('one')).status.should.equal(200);
    await restarted;
    (await settled()).should.eql(['one']);
  });

  it('waits while its nodes are away', async () => {
    await start([]);
    const diff = { added: [], removed: [], rewired: [], linked: [], flowChanged: [], changed: ['events'] };
    await flows.stopFlows('nodes', diff);
    (await deliver('one')).status.should.equal(200);
    seen().should.be.empty();
    await flows.startFlows('nodes', diff);
    (await settled()).should.eql(['one again']);
  });

  it('is not sent to nodes that have to answer while they are away', async () => {
    await start([node('answering', 'recorder', { answer: 'yes' })], {
      reply: 'flow',
      wires: [['answering']]
    });
    const diff = { added: [], removed: [], rewired: [], linked: [], flowChanged: [], changed: ['answering'] };
    await flows.stopFlows('nodes', diff);
    const refused = await deliver('one');
    refused.status.should.equal(503);
    Number(refused.headers['retry-after']).should.be.above(0);
    await flows.startFlows('nodes', diff);
    (await deliver('one')).body.toString().should.equal('yes');
    seen('answering').should.eql(['one']);
  });

  it('goes once to each of several nodes when a deploy stops one of them', async () => {
    await start([node('others', 'recorder', { wires: [] })], { wires: [['events', 'others']] });
    const restarted = restartWhen('onSend', ['others']);
    (await deliver('one')).status.should.equal(200);
    await restarted;
    (await settled('others')).should.eql(['one again']);
    seen()
      .filter((id) => id.startsWith('one'))
      .should.eql(['one']);
  });

  const ways: [name: string, first: string, nodes: object[]][] = [
    ['a junction', 'junction', [node('junction', 'junction', { wires: [['events']] })]],
    [
      'two junctions',
      'junction',
      [
        node('junction', 'junction', { wires: [['second']] }),
        node('second', 'junction', { wires: [['events']] })
      ]
    ],
    [
      'a link',
      'out',
      [
        node('out', 'link out', { mode: 'link', links: ['in'], wires: [] }),
        node('in', 'link in', { links: ['out'], wires: [['events']] })
      ]
    ],
    [
      'a subflow that has nothing in it',
      'instance',
      [
        {
          id: 'sub',
          type: 'subflow',
          name: '',
          info: '',
          in: [{ x: 1, y: 1, wires: [{ id: 'inner' }] }],
          out: [{ x: 2, y: 2, wires: [{ id: 'inner', port: 0 }] }]
        },
        { ...node('inner', 'junction', { wires: [[]] }), z: 'sub' },
        node('instance', 'subflow:sub', { wires: [['events']] })
      ]
    ]
  ];
  for (const [name, first, nodes] of ways) {
    it(`is handed over only when it has passed through ${name}`, async () => {
      await start(nodes, { wires: [[first]] });
      const restarted = restartWhen('postReceive', [], first);
      (await deliver('one')).status.should.equal(200);
      await restarted;
      (await settled()).should.eql(['one again']);
    });
  }

  it('counts as handed over where no node is to receive it', async () => {
    await start([node('off', 'recorder', { d: true, wires: [] })], { wires: [['off', 'events'], []] });
    for (const id of ['one', 'two']) (await deliver(id)).status.should.equal(200);
    await settled();
    await restart();
    (await settled()).filter((id) => id.endsWith('again')).should.be.empty();
  });

  const holding: [hook: string, changed: string[], where: string][] = [
    ['onSend', ['events'], 'of its nodes'],
    ['preRoute', ['events'], 'of its nodes'],
    ['preDeliver', ['events'], 'of its nodes'],
    ['onReceive', ['events'], 'of its nodes'],
    ['onSend', [], 'of everything'],
    ['preRoute', [], 'of everything'],
    ['preDeliver', [], 'of everything'],
    ['onReceive', [], 'of everything']
  ];
  for (const [hook, changed, where] of holding) {
    it(`comes once when a hook (${hook}) of the user holds it until a deploy ${where} is over`, async () => {
      await start([]);
      let release: (() => void) | undefined;
      // Added after the first message, as by a debugger that is switched on: our hook comes before it.
      (await deliver('first')).status.should.equal(200);
      hooks.add(`${hook}.test`, (_event: unknown, done: () => void) => {
        if (release === undefined) release = done;
        else done();
      });
      (await deliver('one')).status.should.equal(200);
      await stage.until('the hook', () => release !== undefined);
      await restart(...changed);
      await stage.until('the hand-over', () => seen().includes('one again'));
      release?.();
      (await settled()).should.eql(['first', 'one again']);
    });
  }

  it('is neither lost nor repeated over many deploys', async function () {
    this.timeout(60_000);
    await start([node('others', 'recorder', { wires: [] })], { wires: [['events', 'others']] });
    let isGoing = true;
    const accepted: string[] = [];
    const lane = async (name: number): Promise<void> => {
      for (let count = 0; isGoing; count += 1) {
        const id = `${name}-${count}`;
        if ((await deliver(id)).status === 200) accepted.push(id);
      }
    };
    const lanes = [1, 2, 3].map(lane);
    for (const changed of [[], ['events'], ['others'], ['webhook'], ['webhook', 'events'], []]) {
      for (let round = 0; round < 4; round += 1) {
        await restart(...changed);
        const before = accepted.length;
        while (accepted.length < before + 2) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    isGoing = false;
    await Promise.all(lanes);
    accepted.length.should.be.above(20);
    for (const recorder of ['events', 'others']) {
      const came = (await settled(recorder)).filter((id) => /^\d/.test(id));
      should(seenOnce(came).sort()).eql([...accepted].sort());
    }
  });
});

describe('HandOvers', () => {
  const started = new EventEmitter();
  const webhook = { id: 'webhook', wires: [['a']] } as unknown as RedNode;
  const target = { type: 'function' };
  let told: string[];
  let before: (event: ReceiveEvent) => false | undefined;
  let after: (event: ReceiveEvent) => void;
  const receive = (event: ReceiveEvent): false | undefined => {
    if (before(event) === false) return false;
    after(event);
    return undefined;
  };

  function handOversWith(api: Partial<NodeRedApi>, takenMs?: number): HandOvers {
    const RED = { events: started, nodes: { getNode: (id: string) => (id === 'a' ? target : null) }, ...api };
    const handOvers = new HandOvers(RED as NodeRedApi, takenMs);
    started.emit('flows:started');
    return handOvers;
  }
  const outgoing = (id: string) => ({
    message: { _msgid: `m-${id}` },
    id,
    handOver: {
      name: id,
      done: () => void told.push(`done ${id}`),
      leave: () => void told.push(`leave ${id}`)
    }
  });
  const sending = (send: (message: FlowMessage) => void): RedNode =>
    ({ ...webhook, send }) as unknown as RedNode;
  const hooksOf = (): MessageHooks => {
    let isThere = false;
    return {
      has: () => isThere,
      add: (hook: string, listener: typeof before | typeof after) => {
        isThere = true;
        if (hook.startsWith('onReceive')) before = listener as typeof before;
        else after = listener;
      }
    };
  };
  beforeEach(() => void (told = []));
  afterEach(() => started.removeAllListeners());

  it('reports a message as received when its node gets it, not when it is sent', () => {
    const handOvers = handOversWith({ hooks: hooksOf() });
    handOvers
      .send(
        sending(() => undefined),
        outgoing('one')
      )
      .should.be.true();
    told.should.be.empty();
    should(receive({ msg: { _msgid: 'other' }, destination: { id: 'a', node: target } })).be.undefined();
    should(receive({ msg: { _msgid: 'm-one' }, destination: { id: 'b', node: target } })).be.undefined();
    told.should.be.empty();
    should(receive({ msg: { _msgid: 'm-one' }, destination: { id: 'a', node: target } })).be.undefined();
    told.should.eql(['done one']);
  });

  it('lets a message pass when it is sent on to a node that has already had it', () => {
    const handOvers = handOversWith({ hooks: hooksOf() });
    handOvers.send(
      sending(() => undefined),
      outgoing('one')
    );
    for (let time = 0; time < 3; time += 1)
      should(receive({ msg: { _msgid: 'm-one' }, destination: { id: 'a', node: target } })).be.undefined();
    told.should.eql(['done one']);
  });

  it('counts a message that another hook stops as handed over, once its time is up', async () => {
    const handOvers = handOversWith({ hooks: hooksOf() }, 20);
    handOvers.send(
      sending(() => undefined),
      outgoing('one')
    );
    await until('the end of its time', () => told.length > 0 || undefined);
    told.should.eql(['done one']);
  });

  it('leaves what has not arrived when the webhook node closes', async () => {
    const handOvers = handOversWith({ hooks: hooksOf() });
    const node = sending(() => undefined);
    handOvers.send(node, outgoing('one'));
    const settled = handOvers.settle(node);
    told.should.be.empty();
    await settled;
    told.should.eql(['leave one']);
  });

  it('counts a message as handed over when it is sent where Node-RED has no hooks', () => {
    let count = 0;
    handOversWith({}).send(
      sending(() => (count += 1)),
      outgoing('one')
    );
    should([count, told]).eql([1, ['done one']]);
  });
});
