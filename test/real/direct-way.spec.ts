import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { WebhookInstance, webhookFlow } from '../support/webhook-instance';

/** Node-RED's admin app allows other origins in every answer that passes it. */
const PASSED_THE_ADMIN_APP = 'access-control-allow-origin';

describe('the way of a delivery through the real Node-RED', function () {
  this.timeout(60_000);
  let instance: WebhookInstance;
  afterEach(() => instance.stop());

  it('is direct with the settings that everybody has', async () => {
    instance = await WebhookInstance.start({ flow: webhookFlow() });
    const answer = await instance.deliver(jsonDelivery(holdEvent()));
    should(answer.status).equal(200);
    should(answer.headers).not.have.property(PASSED_THE_ADMIN_APP);
    should((await instance.settled()).length).equal(1);
  });

  it('leads through what the owner put in front of the editor, which may be meant for all', async () => {
    const settingsCode = `module.exports.httpAdminMiddleware = (request, response, next) => {
      response.setHeader('x-made-up', 'seen');
      next();
    };`;
    instance = await WebhookInstance.start({ flow: webhookFlow(), settingsCode });
    const { status, headers } = await instance.deliver(jsonDelivery(holdEvent()));
    should([status, headers['x-made-up']]).deepEqual([200, 'seen']);
  });

  it('leads to the login when there is one, and ends there', async () => {
    const httpNodeAuth = { user: 'user', password: 'secret' };
    instance = await WebhookInstance.start({ flow: webhookFlow(), httpNodeAuth });
    const { status, headers } = await instance.deliver(jsonDelivery(holdEvent()));
    should(status).equal(401);
    should(headers).have.property(PASSED_THE_ADMIN_APP);
  });
});
