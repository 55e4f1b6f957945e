import { existsSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import should from 'should';
import { formDelivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { node } from '../support/flows';
import type { RawAnswer } from '../support/http-client';
import { signed } from '../support/sign';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** Everything that arrives goes to the archive, too, and the prototypes are checked before and after. */
const ARCHIVE = [
  node('inspect', 'function', {
    func: `
      const named = (value) => (value !== null && typeof value === 'object' ? value.polluted : undefined);
      const proto = Object.getPrototypeOf(msg.event);
      node.warn('prototypes ' + JSON.stringify({
        own: [msg.payload, msg.event, msg.event.body, proto].map((value) => named(value) ?? null),
        global: {}.polluted ?? null
      }));
      return null;`,
    outputs: 1
  }),
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    dailyAccount: '',
    destination: 'folder',
    folder: 'archive',
    filename: '{{recording_id}}.{{ext}}',
    format: 'any',
    network: 'any'
  })
];

for (const httpAdminRoot of [undefined, false] as const) {
  describe(`bad input, httpAdminRoot ${httpAdminRoot === undefined ? 'unset' : 'false'}`, () => {
    let instance: WebhookInstance;
    let pid: number;
    let slow: Promise<RawAnswer | Error>;

    before(async function () {
      this.timeout(60_000);
      instance = await WebhookInstance.start({
        flow: webhookFlow({ wires: [['seen', 'inspect', 'archive']] }, ARCHIVE),
        ...(httpAdminRoot === undefined ? {} : { httpAdminRoot })
      });
      pid = instance.nodeRed.pid;
      // Started here and checked at the end, because it takes a while.
      slow = instance
        .request('/telnyx', { ...jsonDelivery(holdEvent('slow')), bytePause: 1000, deadline: 30_000 })
        .catch((error: unknown) => error as Error);
    });
    after(() => instance.stop());

    afterEach('Node-RED is alive', () =>
      should([instance.nodeRed.alive, instance.nodeRed.pid]).deepEqual([true, pid])
    );

    const refused = async (id: string) =>
      should((await instance.settled()).filter(({ event }) => event?.['id'] === id)).have.length(0);

    it('a body cut short, by hanging up', async () => {
      const delivery = jsonDelivery(holdEvent('cut'));
      const answer = await instance.request('/telnyx', { ...delivery, hangUpAfter: 50 });
      should(answer.status).equal(0);
      await refused('cut');
    });

    it('a body cut short, with the signature of the whole', async () => {
      const { body, headers } = jsonDelivery(holdEvent('short'));
      should((await instance.request('/telnyx', { headers, body: body.subarray(0, 60) })).status).equal(401);
      await refused('short');
    });

    it('a body of 2 MB, declared and chunked', async () => {
      const delivery = jsonDelivery(holdEvent('large').padEnd(2_000_000, ' '));
      for (const framing of ['length', 'chunked'] as const) {
        const answer = await instance.request('/telnyx', { ...delivery, framing });
        should([framing, answer.status, answer.body.length]).deepEqual([framing, 413, 0]);
      }
      await refused('large');
    });

    it('invalid UTF-8', async () => {
      const [head = '', tail = ''] = holdEvent('utf-8').split('made-up');
      const body = Buffer.concat([Buffer.from(head), Buffer.of(0xff, 0xfe, 0xc3), Buffer.from(tail)]);
      should((await instance.deliver(jsonDelivery(body))).status).equal(400);
      await refused('utf-8');
    });

    it('100 000 levels of nesting', async () => {
      const depth = 100_000;
      const arrays = '['.repeat(depth) + ']'.repeat(depth);
      const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
      for (const payload of [arrays, objects]) {
        const body = `{"data":{"event_type":"call.hold","id":"deep","payload":${payload}}}`;
        should((await instance.deliver(jsonDelivery(body))).status).equal(400);
        should((await instance.deliver(jsonDelivery(body, { timestamp: 1 }))).status).equal(401);
      }
      should((await instance.deliver(jsonDelivery(arrays))).status).equal(400);
      await refused('deep');
    });

    it('keys that name a prototype: accepted, dropped, no prototype changed', async () => {
      const from = instance.nodeRed.log.length;
      const bodies = [
        '{"__proto__":{"polluted":"yes"},"data":{"__proto__":{"polluted":"yes"},"event_type":"call.hold",' +
          '"id":"proto","payload":{"__proto__":{"polluted":"yes"},"deep":{"__proto__":{"polluted":"yes"}}}}}',
        '{"data":{"event_type":"call.hold","id":"ctor","payload":{"constructor":{"prototype":{"x":1}}}}}'
      ];
      for (const body of bodies) should((await instance.deliver(jsonDelivery(body))).status).equal(200);
      const form = 'AccountSid=made-up&CallSid=v3&__proto__=polluted&__proto__[polluted]=yes&toString=x';
      should((await instance.deliver(formDelivery(form))).status).equal(200);
      const seen = (await instance.settled()).slice(-3);
      should(seen.map(({ topic }) => topic)).deepEqual(['call.hold', 'call.hold', 'texml.voice']);
      should(JSON.stringify(seen[0])).not.match(/polluted|__proto__/);
      should(Object.keys(seen[2]?.payload as object)).not.containEql('__proto__');
      await instance.nodeRed.waitForLog(/(prototypes[^]*){4}/, { from });
      const told = instance.nodeRed.log.slice(from).match(/prototypes .*/g) ?? [];
      const clean = 'prototypes {"own":[null,null,null,null],"global":null}';
      should(told.every((line) => line === clean)).equal(true, told.join('\n'));
    });

    it('headers that appear twice', async () => {
      const delivery = jsonDelivery(holdEvent('headers'));
      for (const name of Object.keys(signed(''))) {
        const value = delivery.headers[name]!;
        const headers: [string, string][] = [...Object.entries(delivery.headers), [name, value]];
        should((await instance.request('/telnyx', { body: delivery.body, headers })).status).equal(401);
      }
      const lengths: [string, string][] = [...Object.entries(delivery.headers), ['content-length', '5']];
      should((await instance.request('/telnyx', { body: delivery.body, headers: lengths })).status).equal(
        400
      );
      await refused('headers');
    });

    it('GET and HEAD', async () => {
      for (const method of ['GET', 'HEAD']) {
        const answer = await instance.request('/telnyx?id=get', { method, headers: signed('') });
        should([method, answer.status]).deepEqual([method, 405]);
      }
    });

    it('chunked bodies are verified like any other', async () => {
      const good = jsonDelivery(holdEvent('chunked').padEnd(3000, ' '));
      should((await instance.request('/telnyx', { ...good, framing: 'chunked' })).status).equal(200);
      const bad = { ...good, headers: { ...good.headers, ...signed('other') } };
      should((await instance.request('/telnyx', { ...bad, framing: 'chunked' })).status).equal(401);
    });

    it('gzip, also as a bomb', async () => {
      const bomb = gzipSync(Buffer.alloc(100_000_000, 0x20));
      const headers = { ...jsonDelivery(bomb).headers, 'content-encoding': 'gzip' };
      should((await instance.request('/telnyx', { headers, body: bomb })).status).equal(415);
    });

    it('a client that sends one byte a second is cut off', async function () {
      this.timeout(60_000);
      const answer = await slow;
      if (answer instanceof Error) throw answer;
      should(answer.elapsed).be.below(15_000);
      should([0, 408, 503]).containEql(answer.status);
      await refused('slow');
    });

    it('none of this is on disk', async () => {
      const { userDir } = instance.nodeRed;
      await instance.settled();
      should(existsSync(path.join(userDir, 'archive'))).equal(false);
      should(existsSync(path.join(userDir, 'telnyx-recordings'))).equal(false);
    });
  });
}
