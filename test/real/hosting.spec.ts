import path from 'node:path';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { STRANGER } from '../support/sign';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

describe('httpNodeAuth', () => {
  for (const httpAdminRoot of [undefined, false] as const) {
    describe(`httpAdminRoot ${httpAdminRoot === undefined ? 'unset' : 'false'}`, () => {
      let instance: WebhookInstance;

      before(async function () {
        this.timeout(60_000);
        instance = await WebhookInstance.start({
          flow: webhookFlow(),
          httpNodeAuth: { user: 'telnyx', password: 'open sesame' },
          ...(httpAdminRoot === undefined ? {} : { httpAdminRoot })
        });
      });
      after(() => instance.stop());

      const deliverAs = async (login: string, id: string, key = {}) => {
        const { body, headers } = jsonDelivery(holdEvent(id), key);
        const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
        return instance.request('/telnyx', { body, headers: { ...headers, authorization } });
      };

      it('requires the login, signed or not', async () => {
        const answer = await instance.deliver(jsonDelivery(holdEvent('no-login')));
        should(answer.status).equal(401);
        should((await deliverAs('telnyx:wrong', 'wrong-login')).status).equal(401);
      });

      it('admits only a signed delivery with the login', async () => {
        should((await deliverAs('telnyx:open sesame', 'login')).status).equal(200);
        should((await deliverAs('telnyx:open sesame', 'forged', { key: STRANGER })).status).equal(401);
        const ids = (await instance.nodeRed.messages(1)).map(({ event }) => event?.['id']);
        should(ids).deepEqual(['login']);
      });
    });
  }
});

describe('httpNodeAuth as a function', () => {
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    instance = await WebhookInstance.start({
      flow: webhookFlow(),
      settingsCode: `module.exports.httpNodeAuth = (req, res, next) =>
        req.headers['x-gateway'] === 'passed' ? next() : res.status(403).end();`
    });
  });
  after(() => instance.stop());

  it('decides before the signature', async () => {
    const { body, headers } = jsonDelivery(holdEvent('function'));
    should((await instance.request('/telnyx', { body, headers })).status).equal(403);
    const passed = { ...headers, 'x-gateway': 'passed' };
    should((await instance.request('/telnyx', { body, headers: passed })).status).equal(200);
    const ids = (await instance.nodeRed.messages(1)).map(({ event }) => event?.['id']);
    should(ids).deepEqual(['function']);
  });
});

describe('Node-RED in a custom Express application, behind its body parser', () => {
  let instance: WebhookInstance;

  before(async function () {
    this.timeout(60_000);
    instance = await WebhookInstance.start({
      flow: webhookFlow({ rawBody: true }),
      httpAdminRoot: '/red',
      httpNodeRoot: '/api',
      embeddedIn: path.join(__dirname, '../support/embedded-app.cjs')
    });
  });
  after(() => instance.stop());

  it('verifies over the exact bytes', async () => {
    const text = holdEvent('embedded').replace('"client_state":null', '"gain" : 1.0, "note":"caf\\u00e9"');
    should((await instance.deliver(jsonDelivery(text))).status).equal(200);
    should((await instance.deliver(jsonDelivery(text, { key: STRANGER }))).status).equal(401);
    const [message] = await instance.nodeRed.messages(1);
    should(message?.['rawBody']).deepEqual({ base64: Buffer.from(text).toString('base64') });
  });

  it('applies its own size limit, before the parser of the application', async () => {
    const { status } = await instance.deliver(jsonDelivery(holdEvent('l').padEnd(900_000)));
    should(status).equal(200);
    should((await instance.deliver(jsonDelivery(holdEvent('xl').padEnd(1_048_577)))).status).equal(413);
  });

  it("gives precedence to the application's own guards", async () => {
    const { body, headers } = jsonDelivery(holdEvent('blocked'));
    const blocked = await instance.request('/telnyx', { body, headers: { ...headers, 'x-blocked': 'yes' } });
    should(blocked.status).equal(403);
    should((await instance.request('/telnyx', { body, headers })).status).equal(200);
    const ids = (await instance.settled()).map(({ event }) => event?.['id']);
    should(ids.filter((id) => id === 'blocked')).have.length(1);
  });

  it("leaves the application's own routes alone", async () => {
    const response = await fetch(`${instance.nodeRed.url}/own`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":1.0}'
    });
    should(await response.json()).deepEqual({ parsed: { a: 1 } });
  });

  it('survives a deploy', async () => {
    await instance.nodeRed.deploy(webhookFlow({ name: 'again' }));
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
  });
});
