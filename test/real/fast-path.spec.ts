import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { node } from '../support/flows';
import { STRANGER } from '../support/sign';
import { WebhookInstance, webhookFlow } from '../support/webhook-instance';

/** Node-RED's admin app allows other origins in every response that passes through it; Node-RED 5 only when it is told to. */
const PASSED_THE_ADMIN_APP = 'access-control-allow-origin';
const httpAdminCors = { origin: '*' };

describe('the path of a delivery through the real Node-RED', function () {
  this.timeout(60_000);
  let instance: WebhookInstance;
  afterEach(() => instance.stop());

  for (const [name, settings] of [
    ['the default settings', {}],
    ['an editor that allows other origins', { httpAdminCors }]
  ] as const) {
    it(`is direct with ${name}`, async () => {
      instance = await WebhookInstance.start({ flow: webhookFlow(), settings });
      const answer = await instance.deliver(jsonDelivery(holdEvent()));
      should(answer.status).equal(200);
      should(answer.headers).not.have.property(PASSED_THE_ADMIN_APP);
      should((await instance.settled()).length).equal(1);
    });
  }

  it('leads through middleware before the editor, which may be meant for all requests', async () => {
    const settingsCode = `module.exports.httpAdminMiddleware = (request, response, next) => {
      response.setHeader('x-made-up', 'seen');
      next();
    };`;
    instance = await WebhookInstance.start({ flow: webhookFlow(), settingsCode });
    const { status, headers } = await instance.deliver(jsonDelivery(holdEvent()));
    should([status, headers['x-made-up']]).deepEqual([200, 'seen']);
  });

  it('leads to the login if there is one, and ends there', async () => {
    const httpNodeAuth = { user: 'user', password: 'secret' };
    instance = await WebhookInstance.start({
      flow: webhookFlow(),
      httpNodeAuth,
      settings: { httpAdminCors }
    });
    const { status, headers } = await instance.deliver(jsonDelivery(holdEvent()));
    should(status).equal(401);
    should(headers).have.property(PASSED_THE_ADMIN_APP);
  });

  const REFUSE = "(request, response) => { response.statusCode = 403; response.end('closed'); }";
  const SHOW = "(request, response, next) => { response.setHeader('x-made-up', 'seen'); next(); }";
  /** A core node at another address, for comparison. */
  const coreIn = [
    node('core', 'http in', { url: '/core', method: 'post', wires: [['core-out']] }),
    node('core-out', 'http response', { statusCode: '200', headers: {} })
  ];
  const startWith = async (settingsCode: string): Promise<void> => {
    instance = await WebhookInstance.start({ flow: webhookFlow({}, coreIn), settingsCode });
  };
  const both = async () => {
    const delivery = jsonDelivery(holdEvent());
    return [await instance.deliver(delivery, '/core'), await instance.deliver(delivery)] as const;
  };

  it('leads to httpNodeMiddleware, which may reject requests, as for core http in', async () => {
    await startWith(`module.exports.httpNodeMiddleware = ${REFUSE};`);
    const [core, ours] = await both();
    should([core.status, core.body.toString()]).deepEqual([403, 'closed']);
    should([ours.status, ours.body.toString()]).deepEqual([403, 'closed']);
    should(instance.nodeRed.recorded()).be.empty();
  });

  it('leads through a list of middleware that adds headers, with the exact bytes', async () => {
    await startWith(`module.exports.httpNodeMiddleware = [${SHOW}, [(request, response, next) => {
      request.headers['content-type'] = 'text/plain';
      delete request.headers['telnyx-signature-ed25519'];
      next();
    }]];`);
    for (const answer of await both()) {
      should([answer.status, answer.headers['x-made-up']]).deepEqual([200, 'seen']);
    }
    const forged = await instance.deliver(jsonDelivery(holdEvent(), { key: STRANGER }));
    should([forged.status, forged.headers['x-made-up']]).deepEqual([401, 'seen']);
    const odd = Buffer.from(`${holdEvent('odd')} \n\t`);
    should((await instance.deliver(jsonDelivery(odd))).status).equal(200);
  });

  it('asks the sender to retry when the middleware throws or rejects, reports it, and survives', async () => {
    for (const fault of [
      "() => { throw new Error('made up'); }",
      "async () => { throw new Error('made up'); }"
    ]) {
      await startWith(`module.exports.httpNodeMiddleware = ${fault};`);
      const { status, headers } = await instance.deliver(jsonDelivery(holdEvent()));
      should([status, Number(headers['retry-after']) > 0]).deepEqual([503, true]);
      await instance.nodeRed.waitForLog(/\(httpNodeMiddleware\)/);
      await instance.deliver(jsonDelivery(holdEvent()));
      should(instance.nodeRed.log.match(/made up/g)?.length).equal(1);
      should(instance.nodeRed.alive).be.true();
      if (fault.startsWith('()')) await instance.stop();
    }
  });

  it('follows the setting while Node-RED runs', async () => {
    await startWith(`const { existsSync } = require('node:fs');
      Object.defineProperty(module.exports, 'httpNodeMiddleware', {
        enumerable: true,
        get: () => (existsSync(__dirname + '/closed') ? ${REFUSE} : undefined)
      });`);
    should((await instance.deliver(jsonDelivery(holdEvent()))).headers).not.have.property(
      PASSED_THE_ADMIN_APP
    );
    const flag = path.join(instance.nodeRed.userDir, 'closed');
    writeFileSync(flag, '');
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(403);
    rmSync(flag);
    should((await instance.deliver(jsonDelivery(holdEvent()))).status).equal(200);
  });

  it('answers other origins according to httpNodeCors, like core http in', async () => {
    // Node-RED's admin app itself allows all origins when it shares the root.
    const flow = webhookFlow({}, coreIn);
    const settings = { httpNodeCors: { origin: 'https://app.example.com', methods: 'POST' } };
    instance = await WebhookInstance.start({ flow, httpAdminRoot: '/admin', settings });
    for (const answer of await both()) {
      should([answer.status, answer.headers['access-control-allow-origin']]).deepEqual([
        200,
        'https://app.example.com'
      ]);
    }
    const preflight = await instance.request('/telnyx', { method: 'OPTIONS', headers: {} });
    should([preflight.status, preflight.headers['access-control-allow-methods']]).deepEqual([204, 'POST']);
  });
});
