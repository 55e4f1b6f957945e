import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { catchUpReceived } from '../../nodes/webhook/received-lines';
import type { CustodyLine } from '../../src/evidence/custody/custody-line';
import { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { LoggedDelivery } from '../../src/webhook/log/record';
import { custodyLinesIn, linesOfCustody } from '../support/custody-lines';
import { account, node, tab, webhookIn } from '../support/flows';
import { nodeHelper } from '../support/node-helper';
import { until } from '../support/until';
import { CustodyFixture } from '../unit/evidence/custody-fixture';
import { NodeStage } from './node-stage';

describe('the custody log of a webhook node', () => {
  let stage: NodeStage | undefined;
  let standIn: TelnyxStandIn;

  beforeEach(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
  });
  afterEach(async () => {
    await stage?.unload();
    stage = undefined;
    await standIn.stop();
  });

  async function start(...more: object[]): Promise<NodeStage> {
    const webhook = webhookIn({ wires: [['events']], rawBody: true });
    const flow = [
      tab(),
      account({ publicKeys: standIn.publicKey }),
      webhook,
      node('events', 'recorder'),
      ...more
    ];
    return await NodeStage.load([telnyxAccount, telnyxWebhookIn, recordingDownload], flow);
  }

  function received({ userDir }: NodeStage): CustodyLine[] {
    return linesOfCustody(userDir).filter(({ event }) => event === 'received');
  }

  it('has the signature of an event about a recording, which anybody can check, and none of other events', async () => {
    stage = await start(node('download', 'telnyx-recording-download', { account: 'account', wires: [[]] }));
    const to = `http://127.0.0.1:${stage.port}/telnyx`;
    await standIn.deliver(standIn.sample('call.hangup'), to);
    await standIn.deliver(standIn.sample('call.recording.saved'), to);
    const [, message] = await stage.messages('events', 2);
    await until('the line', () => received(stage!).length > 0);
    await nodeHelper.unload();
    const [line, ...others] = received(stage);
    should(others).eql([]);
    const body = message?.['rawBody'] as Buffer;
    const details = line?.details ?? {};
    should(details['delivery_sha256']).equal(createHash('sha256').update(body).digest('hex'));
    should(line?.recording).equal(
      (message?.['payload'] as { recording_id: string }).recording_id.toLowerCase()
    );
    const key = createPublicKey({
      key: Buffer.concat([
        Buffer.from('302a300506032b6570032100', 'hex'),
        Buffer.from(String(details['public_key']), 'base64')
      ]),
      format: 'der',
      type: 'spki'
    });
    const signed = Buffer.concat([Buffer.from(`${String(details['timestamp'])}|`), body]);
    should(verify(null, signed, key, Buffer.from(String(details['signature']), 'base64'))).be.true();
  });

  it('does not exist where no node stores', async () => {
    stage = await start();
    await standIn.deliver(standIn.sample('call.recording.saved'), `http://127.0.0.1:${stage.port}/telnyx`);
    await stage.messages('events', 1);
    await nodeHelper.unload();
    should(linesOfCustody(stage.userDir)).eql([]);
  });

  describe('after a crash', () => {
    let fixture: CustodyFixture;
    let custody: CustodyRecorder;
    let RED: NodeRedApi;
    let from: number[];
    let deliveries: LoggedDelivery[];

    beforeEach(async () => {
      fixture = new CustodyFixture();
      mkdirSync(path.join(fixture.state, 'telnyx', 'deliveries'), { recursive: true });
      RED = { settings: { userDir: fixture.state } } as unknown as NodeRedApi;
      custody = new CustodyRecorder({ open: () => fixture.open(), log: () => undefined });
      from = [];
      stage = await start();
      const to = `http://127.0.0.1:${stage.port}/telnyx`;
      for (const event of ['call.recording.saved', 'call.hangup', 'conference.recording.saved'] as const)
        await standIn.deliver(standIn.sample(event), to);
      const messages = await stage.messages('events', 3);
      deliveries = messages.map(deliveryOf);
    });
    afterEach(() => fixture.end());

    function deliveryOf(message: Record<string, unknown>): LoggedDelivery {
      const { id, event_type: eventType } = message['event'] as { id: string; event_type: string };
      const rawBody = message['rawBody'] as Buffer;
      return {
        ...{
          sequence: 1,
          scope: 'webhook',
          provider: 'telnyx',
          id,
          eventType,
          rawBody,
          receivedAt: fixture.now
        },
        ...{ verified: 'ed25519', keyIndex: 0, contentType: 'application/json', query: null },
        ...{ proof: null, answer: null }
      };
    }

    async function catchUp(since: number): Promise<void> {
      await catchUpReceived(RED, custody, since, async function* (span) {
        from.push(span.from);
        yield await Promise.resolve(deliveries);
      });
    }

    it('gets the lines that it lacks, each once', async () => {
      await catchUp(fixture.now);
      await catchUp(fixture.now);
      const lines = custodyLinesIn(fixture.directory).filter(({ event }) => event === 'received');
      should(lines.map(({ details }) => details['event_type'])).eql([
        'call.recording.saved',
        'conference.recording.saved'
      ]);
      should(from[0]).equal(fixture.now - 60_000);
    });

    it('begins with the start of the process when there was no log', async () => {
      await catchUp(NaN);
      should(from).eql([performance.timeOrigin]);
    });
  });
});
