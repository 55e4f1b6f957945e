import should from 'should';
import type { Ask } from '../../../../../src/providers/http/patient-request';
import { TelnyxApi } from '../../../../../src/providers/telnyx/api-client';
import { WEBHOOK_KINDS } from '../../../../../src/providers/telnyx/webhooks/webhook-kinds';
import {
  listWebhookSettings,
  setWebhookUrl,
  type WebhookChange
} from '../../../../../src/providers/telnyx/webhooks/webhook-settings';
import { TelnyxStandIn } from '../../../../../src/simulator/stand-in';

const OLD = 'https://old.example.com/hook';
const NEW = 'https://hooks.example.com/telnyx';
const { signal } = new AbortController();

describe('webhook URLs at Telnyx', () => {
  let standIn: TelnyxStandIn;
  let api: TelnyxApi;

  beforeEach(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    api = new TelnyxApi({ apiUrl: standIn.apiUrl, apiKey: () => standIn.apiKey });
  });
  afterEach(async () => {
    await api.close();
    await standIn.stop();
  });

  const ask: Ask = (request) => api.request({ ...request, signal });
  const list = async (kind: string, name = '') => (await listWebhookSettings(ask, kind, name)).settings;

  function application(properties: object = {}) {
    return standIn.webhooks.add('call_control_applications', {
      application_name: 'Switchboard',
      webhook_event_url: OLD,
      webhook_event_failover_url: 'https://failover.example.com/',
      webhook_api_version: '1',
      webhook_timeout_secs: 25,
      ...properties
    });
  }
  const change = (id: string, properties: Partial<WebhookChange> = {}): WebhookChange => ({
    ...{ collection: 'call_control_applications', id, field: 'webhook_event_url', expected: OLD, url: NEW },
    ...properties
  });

  describe('are listed', () => {
    it('with the present URL, and what must change besides', async () => {
      const { id } = application();
      should(await list('call-control')).deepEqual([
        {
          collection: 'call_control_applications',
          id,
          name: 'Switchboard',
          field: 'webhook_event_url',
          url: OLD,
          failover: 'https://failover.example.com/',
          alongside: [{ field: 'webhook_api_version', from: '1', to: '2' }]
        }
      ]);
    });

    it('of each kind', async () => {
      application({ webhook_event_url: null, webhook_api_version: '2' });
      standIn.webhooks.add('texml_applications', {
        friendly_name: 'Menu',
        voice_url: OLD,
        voice_method: 'get'
      });
      standIn.webhooks.add('messaging_profiles', {
        name: 'Texts',
        webhook_url: OLD,
        webhook_api_version: '2'
      });
      standIn.webhooks.add('fax_applications', { application_name: 'Faxes', webhook_event_url: OLD });
      standIn.webhooks.add('ip_connections', { connection_name: 'Trunk', webhook_event_url: OLD });
      standIn.webhooks.add('dialogflow_connections', { connection_name: 'Bot', webhook_event_url: OLD });
      const found = (await Promise.all(WEBHOOK_KINDS.map((kind) => list(kind)))).flat();
      should(found.map(({ collection, name, field, url }) => [collection, name, field, url])).deepEqual([
        ['call_control_applications', 'Switchboard', 'webhook_event_url', null],
        ['texml_applications', 'Menu', 'voice_url', OLD],
        ['texml_applications', 'Menu', 'status_callback', null],
        ['messaging_profiles', 'Texts', 'webhook_url', OLD],
        ['fax_applications', 'Faxes', 'webhook_event_url', OLD],
        ['ip_connections', 'Trunk', 'webhook_event_url', OLD],
        [null, 'Bot', 'webhook_event_url', OLD]
      ]);
      should(found[1]!.alongside).deepEqual([{ field: 'voice_method', from: 'get', to: 'post' }]);
    });

    it('page by page, by a part of the name, up to a limit', async () => {
      for (let index = 0; index < 1100; index += 1)
        application({ application_name: index % 100 === 0 ? `Special ${index}` : `Usual ${index}` });
      const all = await listWebhookSettings(ask, 'call-control', '');
      should([all.settings.length, all.isCut]).deepEqual([1000, true]);
      should(standIn.webhooks.requests).have.length(10);
      const some = await listWebhookSettings(ask, 'call-control', 'special');
      should([some.settings.length, some.isCut]).deepEqual([11, false]);
    });

    it('without those that cannot be understood, which are counted', async () => {
      const real = application();
      for (const id of ['../phone_numbers', '', 'x'.repeat(65), { id: 'nested' }, null])
        standIn.webhooks.add('call_control_applications', { id });
      const found = await listWebhookSettings(ask, 'call-control', '');
      should(found.settings.map(({ id }) => id)).deepEqual([real.id]);
      should(found.unreadable).equal(5);
    });

    for (const [status, code] of [
      [401, 'API_UNAUTHORIZED'],
      [403, 'API_UNAUTHORIZED'],
      [404, 'API_NOT_FOUND'],
      [422, 'LINK_REFUSED'],
      [429, 'RATE_LIMITED'],
      [500, 'LINK_REFUSED']
    ] as const)
      it(`unless the API answers ${status}`, async () => {
        standIn.webhooks.faultOf = () => status;
        await should(list('fax')).be.rejectedWith({ code });
      });

    it('unless the kind is unknown, or the answer is no list', async () => {
      await should(list('constructor')).be.rejectedWith({ code: 'BAD_SETTING' });
      for (const answer of [null, {}, { data: {} }, { data: 'x' }, []])
        await should(listWebhookSettings(() => Promise.resolve(answer), 'fax', '')).be.rejectedWith(
          /other than a list/
        );
    });

    it('by an API that always claims to have more', async () => {
      let asked = 0;
      const endless: Ask = () => {
        asked += 1;
        return Promise.resolve({ data: [{ id: 'same' }], meta: { total_pages: 1e9 } });
      };
      const found = await listWebhookSettings(endless, 'messaging', '');
      should([asked, found.settings.length, found.isCut]).deepEqual([10, 1, true]);
    });
  });

  describe('are set', () => {
    it('with what Telnyx needs, and nothing else', async () => {
      const item = application();
      const after = await setWebhookUrl(ask, change(item.id));
      should(after.url).equal(NEW);
      should(after.alongside).be.empty();
      should(item).have.properties({
        application_name: 'Switchboard',
        webhook_event_url: NEW,
        webhook_api_version: '2',
        webhook_event_failover_url: 'https://failover.example.com/',
        webhook_timeout_secs: 25
      });
    });

    it('one of two URLs of an application, the other one unchanged', async () => {
      const item = standIn.webhooks.add('texml_applications', {
        ...{ friendly_name: 'Menu', voice_url: OLD, voice_method: 'get', status_callback_method: 'get' }
      });
      const texml = { collection: 'texml_applications', field: 'status_callback', expected: null };
      await setWebhookUrl(ask, change(item.id, texml));
      should(item).have.properties({
        ...{ voice_url: OLD, voice_method: 'get', status_callback: NEW, status_callback_method: 'post' }
      });
    });

    it('with the outbound settings that an external connection requires', async () => {
      const outbound = { channel_limit: 10 };
      const item = standIn.webhooks.add('external_connections', { outbound });
      await setWebhookUrl(ask, change(item.id, { collection: 'external_connections', expected: null }));
      should(item).have.properties({ outbound, webhook_event_url: NEW });
      should(item).not.have.property('webhook_api_version');
    });

    it('not when another one has been set meanwhile', async () => {
      const item = application({ webhook_event_url: 'https://colleague.example.com/' });
      await should(setWebhookUrl(ask, change(item.id))).be.rejectedWith(/changed at Telnyx after/);
      should(standIn.webhooks.requests.filter((one) => one.startsWith('PATCH'))).be.empty();
    });

    it('not again when it is set already', async () => {
      const item = application({
        webhook_event_url: 'https://HOOKS.example.com/telnyx',
        webhook_api_version: '2'
      });
      should((await setWebhookUrl(ask, change(item.id))).url).match(/HOOKS/);
      should(standIn.webhooks.requests.filter((one) => one.startsWith('PATCH'))).be.empty();
    });

    it('also when the answer is lost', async () => {
      const item = application();
      standIn.webhooks.faultOf = (method) => (method === 'PATCH' ? 'cut' : undefined);
      should((await setWebhookUrl(ask, change(item.id))).url).equal(NEW);
    });

    for (const [status, code] of [
      [401, 'API_UNAUTHORIZED'],
      [404, 'API_NOT_FOUND'],
      [422, 'LINK_REFUSED'],
      [429, 'RATE_LIMITED'],
      [503, 'LINK_REFUSED']
    ] as const)
      it(`unless the API answers ${status}`, async () => {
        const item = application();
        standIn.webhooks.faultOf = (method) => (method === 'PATCH' ? status : undefined);
        await should(setWebhookUrl(ask, change(item.id))).be.rejectedWith({ code });
        should(item['webhook_event_url']).equal(OLD);
      });

    it('unless Telnyx accepts the change but does not make it', async () => {
      const data = { id: 'app', application_name: 'x', webhook_event_url: OLD };
      await should(setWebhookUrl(() => Promise.resolve({ data }), change('app'))).be.rejectedWith(
        /still has another URL/
      );
    });

    for (const [what, wrong] of [
      ['a collection', { collection: 'phone_numbers' }],
      ['a field', { field: 'application_name' }],
      ['an id', { id: '../phone_numbers/1' }],
      ['a URL', { url: 'ftp://example.com/' }],
      ['a URL', { url: '/telnyx' }]
    ] as const)
      it(`not to ${what} of any other kind: ${JSON.stringify(wrong)}`, async () => {
        application();
        await should(setWebhookUrl(ask, change('app', wrong))).be.rejectedWith({ code: 'BAD_SETTING' });
        should(standIn.webhooks.requests).be.empty();
      });

    for (const answer of [null, {}, { data: [] }, { data: { id: 'another' } }])
      it(`not after half an answer: ${JSON.stringify(answer)}`, async () => {
        await should(setWebhookUrl(() => Promise.resolve(answer), change('app'))).be.rejectedWith(
          /something else. Nothing was changed/
        );
      });
  });
});
