import should from 'should';
import { formDelivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { catchAll, node } from '../support/flows';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** Answers as the event requests: `payload.call_control_id` of the test events names the status. */
const ANSWERING = [
  node('decide', 'function', {
    func: `
      const wish = String(msg.event.id).split(':')[0];
      if (wish === 'silent') return null;
      msg.statusCode = wish === 'fail' && !flow.get(msg.event.id) ? 500 : 200;
      flow.set(msg.event.id, true);
      msg.headers = { 'content-type': 'application/xml' };
      msg.payload = '<Response><Say>' + msg.topic + '</Say></Response>';
      return wish === 'slow' ? [null, msg] : [msg, null];`,
    outputs: 2,
    wires: [['answer'], ['wait']]
  }),
  node('wait', 'delay', {
    pauseType: 'delay',
    timeout: '600',
    timeoutUnits: 'milliseconds',
    wires: [['answer']]
  }),
  node('answer', 'http response', { statusCode: '', headers: {} })
];

describe('the flow answers', () => {
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    const webhook = { reply: 'flow', replyTimeout: 2, wires: [['seen', 'decide']] };
    instance = await WebhookInstance.start({ flow: webhookFlow(webhook, [...ANSWERING, ...catchAll()]) });
  });
  after(() => instance.stop());

  const seen = async (id: string) => (await instance.settled()).filter(({ event }) => event?.['id'] === id);

  it('TeXML goes back to the caller, and the message carries req and res', async () => {
    const form = 'AccountSid=made-up&CallSid=v3%3Amade-up&From=%2B12025550101&To=%2B12025550102';
    const answer = await instance.deliver(formDelivery(form));
    should(answer.status).equal(200);
    should(answer.headers['content-type']).match(/^application\/xml/);
    should(answer.body.toString()).equal('<Response><Say>texml.voice</Say></Response>');
    const [message] = await instance.nodeRed.messages(1);
    should([message?.topic, message?.['has_req'], message?.['has_res']]).deepEqual([
      'texml.voice',
      true,
      true
    ]);
  });

  it('a duplicate of a delivery answered 2xx is not sent on again', async () => {
    for (let copy = 0; copy < 2; copy += 1) {
      should((await instance.deliver(jsonDelivery(holdEvent('ok:1')))).status).equal(200);
    }
    should(await seen('ok:1')).have.length(1);
  });

  it('an attempt that the flow rejects does not suppress its retry', async () => {
    should((await instance.deliver(jsonDelivery(holdEvent('fail:1')))).status).equal(500);
    should((await instance.deliver(jsonDelivery(holdEvent('fail:1')))).status).equal(200);
    const duplicates = (await seen('fail:1')).map(({ event }) => event?.['duplicate']);
    should(duplicates).deepEqual([false, false]);
  });

  it('a repeat during the first delivery waits for its answer', async () => {
    const copies = ['slow:1', 'slow:1', 'slow:1'].map((id) => instance.deliver(jsonDelivery(holdEvent(id))));
    const statuses = (await Promise.all(copies)).map(({ status }) => status);
    should(statuses).deepEqual([200, 200, 200]);
    should(await seen('slow:1')).have.length(1);
  });

  it('503 when the flow does not answer in time, REPLY_TIMEOUT for a Catch node, and the retry is not suppressed', async () => {
    const first = await instance.deliver(jsonDelivery(holdEvent('silent:1')));
    should([first.status, first.body.length]).deepEqual([503, 0]);
    should(Number(first.headers['retry-after'])).be.above(0);
    should(first.elapsed).be.within(1900, 4000);
    const [caught] = await instance.nodeRed.messages(1, { file: 'errors.jsonl' });
    should(instance.nodeRed.codeOf(caught)).equal('REPLY_TIMEOUT');
    should(caught?.error?.source?.type).equal('telnyx-webhook-in');
    should((await instance.deliver(jsonDelivery(holdEvent('silent:1')))).status).equal(503);
    should(await seen('silent:1')).have.length(2);
  });

  it('a delivery that waits for the flow during a deploy gets 503, and nothing hangs', async () => {
    const waiting = instance.deliver(jsonDelivery(holdEvent('silent:2')));
    await instance.nodeRed.messages(instance.nodeRed.recorded().length + 1);
    const flow = webhookFlow({ reply: 'flow', wires: [['seen', 'decide']] }, [...ANSWERING, ...catchAll()]);
    await instance.nodeRed.deploy(flow, 'full');
    const { status, elapsed } = await waiting;
    should(status).equal(503);
    // Immediately, not after the reply timeout of 2 s.
    should(elapsed).be.below(1500);
    should(await seen('silent:2')).have.length(1);
  });
});
