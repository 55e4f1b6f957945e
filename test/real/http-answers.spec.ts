import { gzipSync } from 'node:zlib';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { config, node, webhookIn } from '../support/flows';
import type { RawRequest } from '../support/http-client';
import { signed, signingKey, STRANGER, TRUSTED } from '../support/sign';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const now = () => Math.floor(Date.now() / 1000);
const JSON_TYPE = { 'content-type': 'application/json' };

/** Other nodes of the same flow, each with one setting changed. */
const VARIANTS = [
  webhookIn({ id: 'small', path: '/small', maxBody: 400 }),
  webhookIn({ id: 'pass', path: '/pass', duplicates: 'pass' }),
  webhookIn({ id: 'strict', path: '/strict', tolerance: 5 }),
  webhookIn({ id: 'get', path: '/get', acceptGet: true }),
  config('no-key', 'telnyx-account', { publicKeys: '' }),
  webhookIn({ id: 'keyless', path: '/keyless', account: 'no-key' }),
  config('bad-key', 'telnyx-account', { publicKeys: Buffer.alloc(32).toString('base64') }),
  webhookIn({ id: 'badly-keyed', path: '/badly-keyed', account: 'bad-key' }),
  webhookIn({ id: 'accountless', path: '/accountless', account: '' }),
  config('two-keys', 'telnyx-account', { publicKeys: `${signingKey(9).publicKey},\n ${TRUSTED.publicKey}` }),
  webhookIn({ id: 'two-keyed', path: '/two-keyed', account: 'two-keys' }),
  node('unrelated', 'comment', { wires: [] })
];

/** Rejections that depend only on the headers. */
function unverifiable(): Record<string, RawRequest['headers']> {
  const body = holdEvent('never');
  const good = signed(body);
  const raw = Buffer.from(good['telnyx-signature-ed25519'], 'base64');
  const withSignature = (signature: string) => ({ ...good, 'telnyx-signature-ed25519': signature });
  const withTimestamp = (timestamp: string | number) => signed(body, { timestamp });
  return {
    'no headers at all': {},
    'no signature': { 'telnyx-timestamp': good['telnyx-timestamp'] },
    'no timestamp': { 'telnyx-signature-ed25519': good['telnyx-signature-ed25519'] },
    'an empty signature': withSignature(''),
    'a signature in hex': withSignature(raw.toString('hex')),
    'a signature in base64url': withSignature(`-_${raw.toString('base64url').slice(2)}==`),
    'a signature of 63 bytes': withSignature(raw.subarray(0, 63).toString('base64')),
    'a signature of 65 bytes': withSignature(Buffer.concat([raw, Buffer.of(0)]).toString('base64')),
    'a signature with a stray character': withSignature(`${good['telnyx-signature-ed25519']}*`),
    'a signature without padding': withSignature(good['telnyx-signature-ed25519'].replace(/=+$/, '')),
    'two signatures in one header': withSignature(
      `${good['telnyx-signature-ed25519']}, ${good['telnyx-signature-ed25519']}`
    ),
    'the signature header twice': [
      ...Object.entries(good),
      ['Telnyx-Signature-Ed25519', good['telnyx-signature-ed25519']]
    ],
    'the timestamp header twice': [...Object.entries(good), ['Telnyx-Timestamp', good['telnyx-timestamp']]],
    "a stranger's signature": signed(body, { key: STRANGER }),
    'the signature of another body': signed(`${body} `),
    'the timestamp of another delivery': { ...good, 'telnyx-timestamp': String(now() - 1) },
    'a timestamp that is a word': withTimestamp('abc'),
    'a timestamp with letters behind it': withTimestamp(`${now()}abc`),
    'a negative timestamp': withTimestamp(-5),
    'a timestamp with an exponent': withTimestamp('1e9'),
    'a timestamp with decimals': withTimestamp(`${now()}.0`),
    'a timestamp in milliseconds': withTimestamp(now() * 1000),
    'an empty timestamp': withTimestamp(''),
    'a timestamp 301 s ago': withTimestamp(now() - 301),
    'a timestamp 310 s ahead': withTimestamp(now() + 310),
    'headers of Standard Webhooks': {
      'webhook-id': 'a',
      'webhook-timestamp': good['telnyx-timestamp'],
      'webhook-signature': `v1a,${good['telnyx-signature-ed25519']}`
    }
  };
}

/** With `/` the admin application comes before the node; without an admin, nothing does. */
for (const httpAdminRoot of [undefined, false] as const) {
  describe(`HTTP answers, httpAdminRoot ${httpAdminRoot === undefined ? 'unset' : 'false'}`, () => {
    let instance: WebhookInstance;

    before(async function () {
      this.timeout(60_000);
      const settings = httpAdminRoot === undefined ? {} : { httpAdminRoot };
      instance = await WebhookInstance.start({ flow: webhookFlow({}, VARIANTS), ...settings });
    });
    after(() => instance.stop());

    const messagesOf = async (id: string) =>
      (await instance.settled()).filter(({ event }) => event?.['id'] === id);

    it('200 for a delivery and for its duplicate, one message', async () => {
      const first = await instance.deliver(jsonDelivery(holdEvent('twice')));
      const second = await instance.deliver(jsonDelivery(holdEvent('twice')));
      should([first.status, first.body.length, second.status, second.body.length]).deepEqual([
        200, 0, 200, 0
      ]);
      should(await messagesOf('twice')).have.length(1);
    });

    it('sends on a duplicate, marked, if enabled', async () => {
      for (let copy = 0; copy < 2; copy += 1) {
        should((await instance.deliver(jsonDelivery(holdEvent('passed')), '/pass')).status).equal(200);
      }
      const seen = await messagesOf('passed');
      should(seen.map(({ event }) => event?.['duplicate'])).deepEqual([false, true]);
    });

    it('200 for a verified event of an unknown type', async () => {
      const body = '{"data":{"event_type":"call.invented-later","id":"new-type","payload":{"a":1}}}';
      should((await instance.deliver(jsonDelivery(body))).status).equal(200);
      const [message] = await messagesOf('new-type');
      should([message?.topic, message?.event?.['known']]).deepEqual(['call.invented-later', false]);
    });

    it('200 within the tolerance, in both directions', async () => {
      for (const offset of [-290, 290]) {
        const delivery = jsonDelivery(holdEvent(`within ${offset}`), { timestamp: now() + offset });
        should((await instance.deliver(delivery)).status).equal(200);
      }
      const strict = jsonDelivery(holdEvent('strict'), { timestamp: now() - 6 });
      should((await instance.deliver(strict, '/strict')).status).equal(401);
    });

    it('200 for a leading zero that is signed as sent', async () => {
      const delivery = jsonDelivery(holdEvent('zero'), { timestamp: `0${now()}` });
      should((await instance.deliver(delivery)).status).equal(200);
    });

    it('200 for the second key of an account, and names the key', async () => {
      should((await instance.deliver(jsonDelivery(holdEvent('second-key')), '/two-keyed')).status).equal(200);
      should((await messagesOf('second-key'))[0]?.event?.['key_index']).equal(1);
    });

    for (const name of Object.keys(unverifiable())) {
      it(`401 for ${name}`, async () => {
        const headers = unverifiable()[name];
        const list = Array.isArray(headers) ? headers : Object.entries(headers ?? {});
        const answer = await instance.request('/telnyx', {
          headers: [...list, ['content-type', 'application/json']],
          body: Buffer.from(holdEvent('never'))
        });
        should([answer.status, answer.body.length]).deepEqual([401, 0]);
      });
    }

    it('none of the rejected deliveries reaches the output', async () => {
      should(await messagesOf('never')).have.length(0);
    });

    it('400 for a verified body that is neither JSON nor a form', async () => {
      for (const body of ['{"data":', '{"a":1}}', '{"a":1.}']) {
        const answer = await instance.deliver(jsonDelivery(body));
        should([body, answer.status, answer.body.length]).deepEqual([body, 400, 0]);
      }
    });

    it('405 with Allow for a method that is not accepted', async () => {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const body = holdEvent('method');
        const request = method === 'GET' ? {} : { body: Buffer.from(body) };
        const answer = await instance.request('/telnyx', {
          method,
          headers: { ...JSON_TYPE, ...signed(method === 'GET' ? '' : body) },
          ...request
        });
        should([method, answer.status, answer.headers['allow']]).deepEqual([method, 405, 'POST']);
      }
      const answer = await instance.request('/get', { method: 'DELETE' });
      should(answer.status).equal(405);
      should(answer.headers['allow']?.split(', ').sort()).deepEqual(['GET', 'POST']);
      should(await messagesOf('method')).have.length(0);
    });

    it('413 for a body over maxBody, declared or counted, but not for one of exactly that size', async () => {
      const exact = holdEvent('exact').padEnd(400, ' ');
      should((await instance.deliver(jsonDelivery(exact), '/small')).status).equal(200);
      const over = jsonDelivery(holdEvent('over').padEnd(401, ' '));
      const declared = await instance.deliver(over, '/small');
      const counted = await instance.request('/small', { ...over, framing: 'chunked' });
      const announced = await instance.request('/telnyx', {
        declaredLength: 1_048_577,
        headers: over.headers
      });
      for (const answer of [declared, counted, announced]) {
        should([answer.status, answer.body.length]).deepEqual([413, 0]);
      }
      should(await messagesOf('over')).have.length(0);
      should(await messagesOf('exact')).have.length(1);
    });

    it('415 for an encoded body, signed before or after encoding', async () => {
      const plain = Buffer.from(holdEvent('zipped'));
      const body = gzipSync(plain);
      for (const what of [plain, body]) {
        const headers = { ...JSON_TYPE, ...signed(what), 'content-encoding': 'gzip' };
        const answer = await instance.request('/telnyx', { headers, body });
        should([answer.status, answer.body.length]).deepEqual([415, 0]);
      }
      const { headers } = jsonDelivery(plain);
      const identity = { ...headers, 'content-encoding': 'identity' };
      should((await instance.request('/telnyx', { headers: identity, body: plain })).status).equal(200);
    });

    it('503 with Retry-After without a usable key or account', async () => {
      for (const path of ['/keyless', '/badly-keyed', '/accountless']) {
        const answer = await instance.deliver(jsonDelivery(holdEvent('keyless')), path);
        should([path, answer.status, answer.body.length]).deepEqual([path, 503, 0]);
        should(Number(answer.headers['retry-after'])).be.above(0);
      }
      should(instance.nodeRed.log).match(/BAD_PUBLIC_KEY/);
      should(await messagesOf('keyless')).have.length(0);
    });

    it('accepts GET if enabled, and reports whether the query is signed', async () => {
      const query = 'AccountSid=made-up&CallSid=v3%3Amade-up&From=%2B12025550101&To=%2B12025550102';
      const get = (text: string, marker: string) =>
        instance.request(`/get?${query}&marker=${marker}`, { method: 'GET', headers: signed(text) });
      should((await get(`${query}&marker=whole`, 'whole')).status).equal(200);
      should((await get('', 'part')).status).equal(200);
      should((await get('something else', 'forged')).status).equal(401);
      const seen = (await instance.settled()).filter(({ event }) => event?.['shape'] === 'texml-query');
      const told = seen.map(({ payload, event }) => [
        (payload as { marker: string }).marker,
        event?.['verified']
      ]);
      should(told).deepEqual([
        ['whole', 'ed25519'],
        ['part', 'partial']
      ]);
    });

    it('warns about rejections with their reason, at most once a second', async () => {
      const from = instance.nodeRed.log.length;
      const begun = Date.now();
      do {
        await instance.deliver(jsonDelivery(holdEvent('forged'), { key: STRANGER }));
      } while (Date.now() - begun < 2500);
      await instance.nodeRed.waitForLog(/SIGNATURE_MISMATCH/, { from });
      const warnings = instance.nodeRed.log.slice(from).match(/\[warn\].*SIGNATURE_MISMATCH/g) ?? [];
      should(warnings.length).be.within(1, 2 + (Date.now() - begun) / 1000);
    });
  });
}

describe('the public key from the environment', () => {
  let instance: WebhookInstance;
  after(() => instance.stop());

  it('is used when the account has none', async function () {
    this.timeout(60_000);
    const [first, , ...rest] = webhookFlow();
    const flow = [first!, config('account', 'telnyx-account', { publicKeys: '' }), ...rest];
    instance = await WebhookInstance.start({ flow, env: { TELNYX_PUBLIC_KEY: TRUSTED.publicKey } });
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
    should((await instance.deliver(jsonDelivery(holdEvent(), { key: STRANGER }))).status).equal(401);
  });
});
