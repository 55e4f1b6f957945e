import type { ServerResponse } from 'node:http';
import should from 'should';
import { parseTelnyxDelivery } from '../../../../src/events/reading/parse-telnyx';
import type { WebhookMessage } from '../../../../src/events/build-event';
import { sampleBody } from '../../../../src/samples/sample-body';
import { sampleFacts } from '../../../../src/samples/sample-facts';
import type { EmitExtras } from '../../../../src/webhook/endpoint/delivery-acceptance';
import type { Exchange } from '../../../../src/webhook/endpoint/flow-reply';
import { SampleSender } from '../../../../src/webhook/endpoint/sample-sender';
import { sampleExchange } from '../../../../nodes/samples/sample-exchange';

const NOW = Date.parse('2026-03-04T09:15:02.118Z');
const XML = '<Response/>';

describe('SampleSender', () => {
  let emitted: { message: WebhookMessage; extras: EmitExtras }[];
  let late: number;
  let isThere: boolean;
  let flow: (response: ServerResponse) => void;

  beforeEach(() => {
    emitted = [];
    late = 0;
    isThere = true;
    flow = () => undefined;
  });

  function sender(reply: 'at-once' | 'flow', replyTimeoutMs = 60_000): SampleSender {
    return new SampleSender(
      { reply, replyTimeoutMs },
      {
        parse: parseTelnyxDelivery,
        now: () => NOW,
        isFlowThere: () => isThere,
        emit: (message, _rawBody, extras) => {
          emitted.push({ message, extras });
          if (extras.exchange !== null) flow(extras.exchange.response);
        },
        onLateAnswer: () => (late += 1)
      }
    );
  }

  const content = sampleBody(
    'telnyx',
    'texml.voice',
    sampleFacts('sample-1', new Date(NOW), 'https://example.com')
  )!;
  const exchange = (): Exchange => sampleExchange({ httpNode: {} as never }, '/telnyx', content);
  const sample = { id: 'sample-1', content, exchange };

  it('emits what a delivery would make, without hand-over, and marked', async () => {
    const { answer } = await sender('at-once').send(sample);
    should(answer).equal(null);
    const [{ message, extras }] = emitted as [(typeof emitted)[0]];
    should(extras).deepEqual({ exchange: null, handOver: null });
    should(message).match({ topic: 'texml.voice', payload: { Direction: 'inbound' } });
    should(message.event).match({
      id: 'sample-1',
      sample: true,
      verified: null,
      key_index: null,
      duplicate: false
    });
    should(message.event.received_at).equal(new Date(NOW).toISOString());
  });

  it('returns what the flow answers, whatever its status', async () => {
    for (const status of [200, 404]) {
      flow = (response) => {
        response.statusCode = status;
        response.setHeader('Content-Type', 'application/xml');
        response.end(XML);
      };
      const { answer } = await sender('flow').send(sample);
      should(answer).deepEqual({ status, contentType: 'application/xml', body: Buffer.from(XML) });
    }
  });

  it('ends the response for nodes that wait for that', async () => {
    let isFinished = false;
    flow = (response) => {
      response.on('finish', () => (isFinished = true));
      response.end(XML);
    };
    await sender('flow').send(sample);
    await new Promise((resolve) => setImmediate(resolve));
    should(isFinished).be.true();
  });

  it('waits no longer than the node does, and ignores a late answer', async () => {
    let waiting: ServerResponse | undefined;
    flow = (response) => void (waiting = response);
    should(await sender('flow', 20).send(sample)).match({ answer: 'none-in-time', waitMs: 20 });
    waiting?.end(XML);
    should(late).equal(1);
  });

  it('waits half a minute at most', async () => {
    flow = (response) => response.end();
    should((await sender('flow', 3_600_000).send(sample)).waitMs).equal(30_000);
  });

  it('sends nothing during a deploy, nor once it is closed', async () => {
    isThere = false;
    await should(sender('at-once').send(sample)).be.rejectedWith(/deploy is under way/i);
    isThere = true;
    const closed = sender('at-once');
    closed.close();
    await should(closed.send(sample)).be.rejectedWith(/deploy is under way/i);
    should(emitted).be.empty();
  });

  it('stops waiting when it is closed', async () => {
    const open = sender('flow');
    const sending = open.send(sample);
    open.close();
    should((await sending).answer).equal('none-in-time');
  });

  it('refuses what the parser cannot read', async () => {
    const broken = { ...content, rawBody: Buffer.from('<xml/>'), contentType: 'application/json' };
    await should(sender('at-once').send({ ...sample, content: broken })).be.rejectedWith({
      code: 'UNPARSABLE_BODY'
    });
  });
});
