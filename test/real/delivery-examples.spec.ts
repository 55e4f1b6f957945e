import { readFileSync } from 'node:fs';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { SampleDelivery } from '../../src/simulator/telnyx/sample-delivery';
import { exampleFlow, onlyNode } from '../support/example-flow';
import { webhookIn } from '../support/flows';
import { sha256 } from '../support/media';
import { SETTABLE_CLOCK, setClock } from '../support/node-clock';
import { type FlowNode, NodeRedProcess, type RecordedMessage } from '../support/node-red-process';

const MINUTE = 60_000;
const DAY = 86_400_000;
const PUBLIC = 'https://hooks.example.com/telnyx';

/** The examples around the delivery list, as imported, with nothing but keys filled in. */
describe('the examples of the delivery list', function () {
  this.timeout(90_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;

  /** By how much the clocks of Telnyx and Node-RED differ from that of this process. */
  let shift: number;

  beforeEach(async () => {
    shift = 0;
    standIn = new TelnyxStandIn({ clock: () => Date.now() + shift });
    await standIn.start();
    const env = { TELNYX_API_KEY: standIn.apiKey, TELNYX_PUBLIC_KEY: standIn.publicKey };
    nodeRed = await NodeRedProcess.start({ env, nodeArgs: SETTABLE_CLOCK });
  });
  afterEach(async () => {
    await nodeRed.stop();
    await standIn.stop();
  });

  /** The example; with `isBesideWebhook`, a webhook node is on its tab. */
  function flowOf(name: string, isBesideWebhook: boolean): FlowNode[] {
    const flow = exampleFlow(name, standIn.apiUrl);
    if (!isBesideWebhook) return flow;
    const [tab] = flow;
    const account = onlyNode(flow, 'telnyx-account');
    return [...flow, webhookIn({ z: tab!.id, account, wires: [[]] })];
  }

  async function click(flow: FlowNode[]): Promise<RecordedMessage> {
    const reports = nodeRed.recorded('report.jsonl').length;
    const response = await nodeRed.admin(`inject/${onlyNode(flow, 'inject')}`, { method: 'POST' });
    should(response.status).equal(200);
    await response.arrayBuffer();
    return (await nodeRed.messages(reports + 1, { file: 'report.jsonl' })).at(-1)!;
  }

  const deliver = async (sample: SampleDelivery): Promise<boolean> =>
    (await standIn.deliver(sample, new URL(nodeRed.nodePath('/telnyx'), nodeRed.url).href)).accepted;
  async function setClocks(byMs: number): Promise<void> {
    await setClock(nodeRed, byMs);
    shift = byMs;
  }

  const idOf = (sample: SampleDelivery): string =>
    (JSON.parse(sample.body(1, PUBLIC).toString()) as { data: { id: string } }).data.id;
  const idsIn = (file: string): unknown[] =>
    nodeRed.recorded(file).map(({ event }) => (event as { id: string }).id);

  it('"Receive events without a public address" stores recordings and passes on the rest, each once', async () => {
    const name = 'Receive events without a public address';
    const flow = flowOf(name, false);
    const announced = standIn.sample('call.recording.saved', { seconds: 0.2 });
    const message = standIn.sample('message.received');
    for (const sample of [announced, message]) standIn.lose(sample, PUBLIC, Date.now() - MINUTE);
    standIn.lose(standIn.sample('call.hangup'), PUBLIC, Date.now() - 7 * 60 * MINUTE);
    await nodeRed.deploy(flow);
    // Its inject node starts the first run by itself.
    const [report] = await nodeRed.messages(1, { file: 'report.jsonl' });
    should(report!.payload).equal('2 new events.');
    const [stored] = await nodeRed.messages(1, { file: 'stored file.jsonl' });
    const [expected] = standIn.expectedFiles(announced.recording!);
    should(sha256(readFileSync(String(stored!.payload)))).equal(expected!.sha256);
    should(idsIn('other event.jsonl')).eql([idOf(message)]);
    should((await click(flow)).payload).equal('0 new events.');

    const later = standIn.sample('call.answered');
    standIn.lose(later, PUBLIC);
    await nodeRed.restart();
    await nodeRed.messages(3, { file: 'report.jsonl' });
    await nodeRed.messages(2, { file: 'other event.jsonl' });
    should(idsIn('other event.jsonl')).eql([idOf(message), idOf(later)]);
    should(nodeRed.recorded('went wrong.jsonl')).be.empty();
  });

  it('"Fetch missed events every hour" recovers what was missed while the webhook was down, and raises the alarm', async () => {
    const flow = flowOf('Fetch missed events every hour', true);
    await nodeRed.deploy(flow);
    for (const event of ['call.initiated', 'call.answered'])
      should(await deliver(standIn.sample(event))).be.true();
    should((await click(flow)).payload).equal('2 deliveries listed, 0 missed and now here.');
    const missed = ['call.hangup', 'message.received', 'call.recording.saved'].map((event, index) => {
      const sample = standIn.sample(event);
      standIn.lose(sample, PUBLIC, Date.now() - (60 - index) * MINUTE);
      return sample;
    });
    should((await click(flow)).payload).equal('5 deliveries listed, 3 missed and now here.');
    should(idsIn('missed event.jsonl').sort()).eql(missed.map(idOf).sort());
    await nodeRed.messages(1, { file: 'put your alarm here.jsonl' });
    // They come after all.
    for (const sample of missed) should(await deliver(sample)).be.true();
    should((await click(flow)).payload).equal('8 deliveries listed, 0 missed and now here.');
    should(nodeRed.recorded('missed event.jsonl')).have.length(3);
    should(nodeRed.recorded('put your alarm here.jsonl')).have.length(1);
    should(nodeRed.recorded('went wrong.jsonl')).be.empty();
  });

  it('"Fetch missed events every hour" says when the log could not be read completely', async () => {
    const flow = flowOf('Fetch missed events every hour', true);
    await nodeRed.deploy(flow);
    standIn.lose(standIn.sample('call.hangup'), PUBLIC);
    standIn.deliveries.garble = (item) => ({ ...item, webhook: null });
    should((await click(flow)).payload)
      .be.a.String()
      .and.match(/INCOMPLETE: Telnyx's log contains deliveries with nothing to send on: 1 with no event/);
    await nodeRed.messages(1, { file: 'put your alarm here.jsonl' });
  });

  it('"Replay yesterday\'s deliveries" sends those of yesterday again, and stores no recording twice', async () => {
    const flow = flowOf("Replay yesterday's deliveries", true);
    await nodeRed.deploy(flow);
    const noon = new Date().setUTCHours(12, 0, 0, 0);
    const days = [-2, -1, 0].map((day) => noon + day * DAY - Date.now());
    const recorded = standIn.sample('call.recording.saved', { seconds: 0.2 });
    const samples = [
      standIn.sample('call.hangup'),
      standIn.sample('message.received'),
      standIn.sample('call.answered')
    ];
    for (const [index, byMs] of days.entries()) {
      await setClocks(byMs);
      should(await deliver(samples[index]!)).be.true();
      if (index === 1) should(await deliver(recorded)).be.true();
    }
    should((await click(flow)).payload).equal('2 deliveries sent once more.');
    should(idsIn('other event.jsonl')).eql([idOf(samples[1]!)]);
    const [stored] = await nodeRed.messages(1, { file: 'stored file.jsonl' });
    should(stored!.recording).have.property('already_stored', false);
    should((await click(flow)).payload).equal('2 deliveries sent once more.');
    const [, again] = await nodeRed.messages(2, { file: 'stored file.jsonl' });
    should(again!.recording).have.property('already_stored', true);
    should(idsIn('other event.jsonl')).eql([idOf(samples[1]!), idOf(samples[1]!)]);
  });
});
