import { existsSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import { savedDays } from '../../nodes/webhook/webhook-receivers';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { LogJournal } from '../../src/webhook/journal/log-journal';
import { account, tab, webhookIn } from '../support/flows';
import { nodeHelper } from '../support/node-helper';
import { NodeStage } from './node-stage';

const MINUTE = 60_000;

describe('the retention of accepted deliveries', function () {
  this.timeout(60_000);
  const { setInterval: systemInterval } = globalThis;
  const tidy = Object.getOwnPropertyDescriptor(LogJournal.prototype, 'tidy')!;
  let minutes: (() => void)[];
  let rounds: boolean[];
  let stage: NodeStage | null;
  let standIn: TelnyxStandIn;

  beforeEach(async () => {
    minutes = [];
    rounds = [];
    stage = null;
    standIn = new TelnyxStandIn();
    await standIn.start();
    globalThis.setInterval = ((call: () => void, ms: number) => {
      if (ms === MINUTE) minutes.push(call);
      return systemInterval(call, ms);
    }) as typeof setInterval;
    LogJournal.prototype.tidy = function (round) {
      rounds.push(round.isHourly);
      return (tidy.value as LogJournal['tidy']).call(this, round);
    };
  });
  afterEach(async () => {
    globalThis.setInterval = systemInterval;
    Object.defineProperty(LogJournal.prototype, 'tidy', tidy);
    await stage?.unload();
    await standIn.stop();
  });

  it('is checked every minute, five minutes after a start, and every hour, also without a webhook node', async () => {
    const flow = [tab(), account({ publicKeys: standIn.publicKey })];
    stage = await NodeStage.load([telnyxAccount, telnyxWebhookIn], [...flow, webhookIn({ wires: [[]] })]);
    await standIn.deliver(standIn.sample('call.hangup'), `http://127.0.0.1:${stage.port}/telnyx`);
    should(existsSync(path.join(stage.userDir, 'telnyx', 'deliveries'))).be.true();
    await nodeHelper.setFlows(flow, 'full');
    for (let minute = 0; minute < 65; minute += 1) for (const pass of minutes) pass();
    should(rounds).have.length(65);
    const hourly = rounds.flatMap((isHourly, index) => (isHourly ? [index + 1] : []));
    should(hourly).deepEqual([5, 65]);
  });

  it('follows "Keep" of disabled nodes, too', () => {
    const saved = [
      { id: 'a', type: 'telnyx-webhook-in', keep: '30', d: true },
      { id: 'b', type: 'daily-webhook-in', keep: '0' },
      { id: 'c', type: 'telnyx-webhook-in', keep: '${KEEP}', d: true },
      { id: 'd', type: 'http in', keep: '3' }
    ];
    const RED = { nodes: { eachNode: (call: (node: unknown) => void) => saved.forEach(call) } };
    should([...savedDays(RED as unknown as NodeRedApi)]).deepEqual([
      ['a', 30],
      ['b', 0],
      ['c', 7]
    ]);
  });
});
