import should from 'should';
import { formDelivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { node } from '../support/flows';
import { sha256 } from '../support/media';
import { exchange } from '../support/http-client';
import { signed, STRANGER } from '../support/sign';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** JSON that no serializer reproduces: odd spacing, an escape, `1.0`. */
const oddJson = (id: string) =>
  `{ "data" : {"record_type":"event",\t"event_type":"call.hold", "id":"${id}",\r\n` +
  `  "occurred_at":"2026-05-06T07:08:09.100Z", "payload":{"call_control_id":"v3:made-up",` +
  `"note":"caf\\u00e9 – crème","gain":1.0,"from":"+12025550101","client_state":"aGVsbG8="} },` +
  ` "meta":{"attempt":2,"delivered_to":"https://example.com/telnyx"}}\n`;

/** A form that no serializer reproduces: both spellings of a space, a lower-case escape. */
const oddForm = (sid: string) =>
  `AccountSid=made-up&CallSid=v3%3amade-up&SiprecEvent=siprec-started&SiprecSid=${sid}&Extra=a%2fb+c%20d`;

/** A core node beside ours, which must still get its parsed body. */
const NEIGHBOUR = [
  node('neighbour', 'http in', { url: '/neighbour', method: 'post', wires: [['echo']] }),
  node('echo', 'function', {
    func: 'msg.payload = { parsed: msg.payload }; return msg;',
    outputs: 1,
    wires: [['reply']]
  }),
  node('reply', 'http response', { statusCode: '', headers: {} })
];

const ADMIN_ROOTS = [undefined, '/admin', false] as const;
const NODE_ROOTS = [undefined, '/api'] as const;

for (const httpAdminRoot of ADMIN_ROOTS) {
  for (const httpNodeRoot of NODE_ROOTS) {
    const admin = httpAdminRoot === undefined ? 'unset' : String(httpAdminRoot);
    describe(`httpAdminRoot ${admin}, httpNodeRoot ${httpNodeRoot ?? 'unset'}`, () => {
      let instance: WebhookInstance;

      before(async function () {
        this.timeout(60_000);
        instance = await WebhookInstance.start({
          flow: webhookFlow({ rawBody: true }, NEIGHBOUR),
          ...(httpAdminRoot === undefined ? {} : { httpAdminRoot }),
          ...(httpNodeRoot === undefined ? {} : { httpNodeRoot })
        });
      });
      after(() => instance.stop());

      it('verifies JSON over the exact bytes and sends on the exact event', async () => {
        const text = oddJson('odd-1');
        const answer = await instance.deliver(jsonDelivery(text));
        should([answer.status, answer.body.length]).deepEqual([200, 0]);
        const { _msgid, event, ...message } = (await instance.nodeRed.messages(1)).at(-1)!;
        const { received_at, ...known } = event as { received_at: string };
        const body = JSON.parse(text) as { data: { payload: object } };
        should(_msgid).be.a.String();
        should(Math.abs(Date.now() - Date.parse(received_at))).be.below(10_000);
        should(message).deepEqual({
          topic: 'call.hold',
          payload: body.data.payload,
          rawBody: { base64: Buffer.from(text).toString('base64') },
          has_req: false,
          has_res: false
        });
        should(known).deepEqual({
          provider: 'telnyx',
          event_type: 'call.hold',
          canonical_type: 'call.hold',
          family: 'call-control',
          known: true,
          shape: 'envelope-meta',
          id: 'odd-1',
          record_type: 'event',
          occurred_at: '2026-05-06T07:08:09.100Z',
          attempt: 2,
          delivered_to: 'https://example.com/telnyx',
          duplicate: false,
          verified: 'ed25519',
          key_index: 0,
          client_state: 'hello',
          discriminator: null,
          body
        });
      });

      it('verifies a TeXML form over the exact bytes and sends on the exact event', async () => {
        const text = oddForm('sp-1');
        should((await instance.deliver(formDelivery(text))).status).equal(200);
        const { _msgid, event, ...message } = (await instance.nodeRed.messages(2)).at(-1)!;
        const { received_at, ...known } = event as { received_at: string };
        const fields = {
          AccountSid: 'made-up',
          CallSid: 'v3:made-up',
          SiprecEvent: 'siprec-started',
          SiprecSid: 'sp-1',
          Extra: 'a/b c d'
        };
        should(_msgid).be.a.String();
        should(received_at).match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        should(message).deepEqual({
          topic: 'texml.siprec.started',
          payload: fields,
          rawBody: { base64: Buffer.from(text).toString('base64') },
          has_req: false,
          has_res: false
        });
        should(known).deepEqual({
          provider: 'telnyx',
          event_type: 'texml.siprec.started',
          canonical_type: 'texml.siprec.started',
          family: 'texml-siprec',
          known: true,
          shape: 'texml-form',
          id: sha256(Buffer.from(text)),
          record_type: null,
          occurred_at: null,
          attempt: null,
          delivered_to: null,
          duplicate: false,
          verified: 'ed25519',
          key_index: 0,
          client_state: null,
          discriminator: { field: 'SiprecEvent', value: 'siprec-started' },
          body: fields
        });
      });

      it('accepts every spelling of the path that Express treats as the same', async () => {
        const plain = instance.nodeRed.nodePath('/telnyx');
        const spellings = [plain.toUpperCase(), `${plain}/`, plain.replace('/tel', '//tel'), `${plain}?a=1`];
        for (const [index, path] of spellings.entries()) {
          const delivery = jsonDelivery(oddJson(`path-${index}`));
          const { status } = await exchange(instance.nodeRed.port, { path, ...delivery });
          should([path, status]).deepEqual([path, 200]);
        }
        const ids = (await instance.settled()).slice(-spellings.length).map(({ event }) => event?.['id']);
        should(ids).deepEqual(spellings.map((_, index) => `path-${index}`));
      });

      it('rejects unverified deliveries before anything else sees them', async () => {
        const forged = await instance.deliver(jsonDelivery(holdEvent(), { key: STRANGER }));
        should([forged.status, forged.body.length]).deepEqual([401, 0]);
        const broken = '{"data": ';
        should((await instance.deliver(jsonDelivery(broken))).status).equal(400);
        const large = Buffer.alloc(2_000_000, 0x20);
        const refused = await instance.deliver(jsonDelivery(large, { timestamp: 1 }));
        should([refused.status, refused.body.length]).deepEqual([413, 0]);
        const get = await instance.request('/telnyx', { method: 'GET', headers: signed('') });
        should([get.status, get.headers['allow']]).deepEqual([405, 'POST']);
      });

      it('leaves the bodies of other nodes alone', async () => {
        const body = Buffer.from('{"a":1.0}');
        const headers = { 'content-type': 'application/json' };
        const answer = await instance.request('/neighbour', { body, headers });
        should(JSON.parse(answer.body.toString())).deepEqual({ parsed: { a: 1 } });
      });
    });
  }
}
