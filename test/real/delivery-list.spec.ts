import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { account, node, recorder, tab } from '../support/flows';
import { type FlowNode, NodeRedProcess, RECEIVED_FILE } from '../support/node-red-process';
import { until } from '../support/until';

const COUNT = 400;

/** What happens to missed deliveries when Node-RED is deployed or dies while they are handed over. */
describe('a delivery list', function () {
  this.timeout(90_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;

  beforeEach(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    for (let count = 0; count < COUNT; count += 1)
      standIn.lose(
        standIn.sample('call.hangup'),
        'https://hooks.example.com/telnyx',
        Date.now() - count * 100
      );
    nodeRed = await NodeRedProcess.start({
      env: { TELNYX_API_KEY: standIn.apiKey },
      flow: flow(0),
      probe: true
    });
  });
  afterEach(async () => {
    await nodeRed.stop();
    await standIn.stop();
  });

  /** @param round makes the nodes of a deploy differ from those before */
  function flow(round: number, changed: 'list' | 'seen' | 'all' = 'all'): FlowNode[] {
    const nameOf = (id: string): object =>
      changed === id || changed === 'all' ? { name: `${id} ${round}` } : {};
    const [seen, ...file] = recorder('seen');
    return [
      tab(),
      account({ apiUrl: standIn.apiUrl }),
      node('start', 'inject', { props: [], repeat: '', once: false, wires: [['list']] }),
      node('list', 'telnyx-delivery-list', {
        source: 'telnyx',
        account: 'account',
        from: '1h',
        wires: [['seen'], ['ended']],
        ...nameOf('list')
      }),
      { ...seen!, ...nameOf('seen') },
      ...file,
      ...recorder('ended', 'ended.jsonl')
    ];
  }

  async function click(): Promise<void> {
    await (await nodeRed.admin('inject/start', { method: 'POST' })).arrayBuffer();
  }

  const ids = (): string[] =>
    nodeRed.recorded(RECEIVED_FILE).map(({ event }) => (event as { id: string }).id);
  const summaries = (): Record<string, unknown>[] =>
    nodeRed.recorded('ended.jsonl').map(({ payload }) => payload as Record<string, unknown>);

  it('hands over each event once, whatever is deployed meanwhile', async () => {
    const kinds = ['full', 'nodes', 'flows'] as const;
    for (let round = 1; round <= 9; round += 1) {
      const before = ids().length;
      await click();
      await until('some events', () => (ids().length > before || summaries().length > 0 ? true : undefined));
      await nodeRed.deploy(flow(round, round % 2 === 0 ? 'seen' : 'list'), kinds[round % 3]);
    }
    await until('the end', async () => {
      const ended = summaries().length;
      await click();
      await until('a summary', () => (summaries().length > ended ? true : undefined));
      return summaries().at(-1)!['known'] === COUNT ? true : undefined;
    });
    await until('all events', () => (ids().length >= COUNT ? true : undefined));
    should([ids().length, new Set(ids()).size]).eql([COUNT, COUNT]);
  });

  it('loses none when Node-RED is killed again and again', async () => {
    for (let round = 0; round < 4; round += 1) {
      const before = ids().length;
      await click();
      await until('some events', () => (ids().length > before + 20 ? true : undefined));
      await nodeRed.kill();
      await nodeRed.start();
    }
    await click();
    await until('the end', () => summaries().at(-1));
    await until('all events', () => (new Set(ids()).size === COUNT ? true : undefined));
    // Only what was on its way at the moment of a crash comes twice.
    ids().length.should.be.below(COUNT + 4 * 60);
  });
});
