import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { recorder } from '../support/flows';
import { STRANGER } from '../support/sign';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

describe('the output for rejected deliveries', () => {
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    const webhook = { rejectedOutput: true, outputs: 2, maxBody: 1000, wires: [['seen'], ['refused']] };
    const flow = webhookFlow(webhook, recorder('refused', 'refused.jsonl'));
    instance = await WebhookInstance.start({ flow });
  });
  after(() => instance.stop());

  const refusals = async (count: number) => instance.nodeRed.messages(count, { file: 'refused.jsonl' });

  it('contains the reason, the answer and the sender', async () => {
    const { status } = await instance.deliver(jsonDelivery(holdEvent('x'), { key: STRANGER }));
    should(status).equal(401);
    const [message] = await refusals(1);
    should(message?.topic).equal('rejected');
    const { message: text, ...rest } = message?.payload as { message: string };
    should(text).be.a.String().and.not.be.empty();
    should(rest).deepEqual({
      code: 'SIGNATURE_MISMATCH',
      status: 401,
      remote: '127.0.0.1',
      method: 'POST',
      path: '/telnyx'
    });
  });

  it('each rejection has its code', async () => {
    const good = jsonDelivery(holdEvent('x'));
    const { headers, body } = good;
    const without = (name: string) =>
      Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
    const { headers: broken, body: half } = jsonDelivery('{"data":');
    const requests = [
      { headers: without('telnyx-signature-ed25519'), body },
      { headers: { ...headers, 'telnyx-signature-ed25519': 'c2hvcnQ=' }, body },
      { headers: { ...headers, 'telnyx-timestamp': 'abc' }, body },
      { ...jsonDelivery(holdEvent('x'), { timestamp: 1_700_000_000 }) },
      { headers: broken, body: half },
      { headers: { ...headers, 'content-encoding': 'gzip' }, body },
      { headers, body: Buffer.alloc(1001) },
      { headers, body, method: 'PUT' }
    ];
    for (const request of requests) await instance.request('/telnyx', request);
    const codes = (await refusals(9)).slice(1).map(({ payload }) => {
      const { code, status } = payload as { code: string; status: number };
      return `${status} ${code}`;
    });
    should(codes).deepEqual([
      '401 MISSING_SIGNATURE',
      '401 MALFORMED_SIGNATURE',
      '401 BAD_TIMESTAMP',
      '401 TIMESTAMP_OUT_OF_RANGE',
      '400 UNPARSABLE_BODY',
      '415 UNSUPPORTED_ENCODING',
      '413 BODY_TOO_LARGE',
      '405 METHOD_NOT_ALLOWED'
    ]);
  });

  it('none of them reaches the first output', async () => {
    should(await instance.settled()).have.length(0);
  });
});
