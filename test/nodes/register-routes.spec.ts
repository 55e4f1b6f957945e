import type { ServerResponse } from 'node:http';
import { EventEmitter } from 'node:events';
import should from 'should';
import { serveDailyWebhooks } from '../../nodes/config/webhooks/daily-webhooks-route';
import { serveTelnyxWebhooks } from '../../nodes/config/webhooks/telnyx-webhooks-route';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import { DailyStandIn } from '../../src/simulator/daily/daily-stand-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { until } from '../support/until';

const HMAC = Buffer.from('a secret of the account').toString('base64');
const NEW = 'https://hooks.example.com/telnyx';

describe('the routes behind the buttons that register webhooks', () => {
  let telnyx: TelnyxStandIn;
  let daily: DailyStandIn;
  let handlers: AdminHandler[];
  let permissions: string[];
  let logged: string[];
  let credentials: Map<string, Record<string, string>>;
  let nodes: Map<string, object>;

  beforeEach(async () => {
    [telnyx, daily] = [new TelnyxStandIn(), new DailyStandIn()];
    await Promise.all([telnyx.start(), daily.start()]);
    [handlers, permissions, logged] = [[], [], []];
    credentials = new Map();
    nodes = new Map();
  });
  afterEach(() => Promise.all([telnyx.stop(), daily.stop()]));

  function serve(register: (RED: NodeRedApi) => void): void {
    const guard: AdminHandler = (_request, _response, next) => next();
    register({
      nodes: {
        getNode: (id: string) => nodes.get(id) ?? null,
        getCredentials: (id: string) => credentials.get(id),
        addCredentials: (id: string, added: Record<string, string>) => {
          credentials.set(id, added);
          return Promise.resolve();
        },
        eachNode: () => undefined
      },
      httpAdmin: { post: (_path: string, ...given: AdminHandler[]) => (handlers = given) },
      auth: {
        needsPermission: (permission: string) => {
          permissions.push(permission);
          return guard;
        }
      },
      settings: { httpNodeRoot: '/' },
      events: new EventEmitter(),
      log: { info: (text: string) => logged.push(text), warn: () => undefined, error: () => undefined },
      util: {
        evaluateNodeProperty: (
          value: string,
          _type: string,
          _node: object,
          _message: object,
          callback: (error: null, found: unknown) => void
        ) => callback(null, value === '${PUBLIC}' ? 'https://hooks.example.com' : '')
      }
    } as unknown as NodeRedApi);
  }

  async function post(
    body: object,
    type = 'application/json'
  ): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
    const response = { statusCode: 0, body: undefined as unknown };
    const json = (value: unknown): void => void (response.body = value);
    handlers.at(-1)!(
      { body, headers: { 'content-type': type } } as never,
      Object.assign(response, { json }) as unknown as ServerResponse & { json(value: unknown): void },
      () => undefined
    );
    const answer = await until('the answer', () => response.body as Record<string, unknown> | undefined);
    return { status: response.statusCode, body: answer, text: JSON.stringify(answer) };
  }

  describe('at Telnyx', () => {
    const values = () => ({
      account: 'new',
      apiUrl: telnyx.apiUrl,
      apiKey: telnyx.apiKey,
      base: '${PUBLIC}',
      path: '/telnyx'
    });
    beforeEach(() => serve(serveTelnyxWebhooks));

    it('requires the permission to change flows', () => should(permissions).eql(['flows.write']));

    it('lists with a typed key, and resolves the address', async () => {
      const { body } = await post({ ...values(), action: 'list', kind: 'fax', name: '' });
      should(body['result']).deepEqual({
        settings: [],
        isCut: false,
        unreadable: 0,
        url: NEW,
        isServed: false
      });
      should(body['calls']).deepEqual([{ call: 'GET /fax_applications', error: null, code: null }]);
    });

    it('uses the deployed key where the dialog shows a placeholder, and that of the environment where it is blank', async () => {
      nodes.set('account', { type: 'telnyx-account', credentials: { apiKey: telnyx.apiKey } });
      nodes.set('other', { type: 'another-node', credentials: { apiKey: telnyx.apiKey } });
      const list = { ...values(), action: 'list', kind: 'fax' };
      should((await post({ ...list, account: 'account', apiKey: '__PWRD__' })).body).have.property('result');
      should((await post({ ...list, account: 'other', apiKey: '__PWRD__' })).text).match(/no API key/);
      process.env['TELNYX_API_KEY'] = telnyx.apiKey;
      try {
        should((await post({ ...list, apiKey: '' })).body).have.property('result');
      } finally {
        delete process.env['TELNYX_API_KEY'];
      }
    });

    it('does nothing for a form, which a page of another site can send with the browser of the user', async () => {
      process.env['TELNYX_API_KEY'] = telnyx.apiKey;
      try {
        const form = { ...values(), apiKey: '', action: 'list', kind: 'fax' };
        for (const type of ['application/x-www-form-urlencoded', 'text/plain;application/json', ''])
          should((await post(form, type)).status).equal(415, type);
        should((await post(form, 'Application/JSON; charset=utf-8')).status).equal(200);
      } finally {
        delete process.env['TELNYX_API_KEY'];
      }
    });

    it('sets one, and logs that without addresses and keys', async () => {
      const old = 'https://user:secret@old.example.com/?token=secret';
      const { id } = telnyx.webhooks.add('messaging_profiles', { name: 'Texts', webhook_url: old });
      const set = { ...values(), action: 'set', collection: 'messaging_profiles', id, field: 'webhook_url' };
      const { body } = await post({ ...set, expected: old, url: NEW });
      should((body['result'] as { setting: object }).setting).have.property('url', NEW);
      should(logged).deepEqual([
        `The webhook_url of /messaging_profiles/${id} at Telnyx was set from the editor.`
      ]);
    });

    it('says what went wrong, and whether to go on', async () => {
      telnyx.webhooks.faultOf = () => 429;
      const { body } = await post({ ...values(), action: 'list', kind: 'fax' });
      should(body).have.properties({ isHopeless: true });
      should(String(body['error'])).match(/Wait 1 s, then try again/);
      telnyx.webhooks.faultOf = () => 404;
      should((await post({ ...values(), action: 'list', kind: 'fax' })).body).have.property(
        'isHopeless',
        false
      );
    });

    for (const wrong of [
      { action: 'delete' },
      { action: 'list', kind: 'fax', base: '' },
      { action: 'list', apiUrl: 'ftp://x' }
    ])
      it(`refuses ${JSON.stringify(wrong)}`, async () => {
        const { body } = await post({ ...values(), ...wrong });
        should(String(body['error'])).match(/./);
        should(telnyx.webhooks.requests).be.empty();
      });
  });

  describe('at Daily', () => {
    const values = () => ({
      account: 'daily',
      apiUrl: daily.apiUrl,
      apiKey: daily.apiKey,
      hmac: '__PWRD__',
      base: 'https://hooks.example.com',
      path: '/daily'
    });
    // The stand-in of Daily is an address that answers its own test with 404; another one answers 200.
    const url = () => `${telnyx.url}/v2/webhook_deliveries`;
    beforeEach(() => serve(serveDailyWebhooks));

    const registered = (hmac: string) => daily.webhooks.add('https://hooks.example.com/daily', { hmac });
    const store = (uuid: string, more: object = {}) =>
      post({ ...values(), action: 'store', uuid, url: 'https://hooks.example.com/daily', ...more });

    it('shows whether the account has the secret, and never the secret', async () => {
      registered(HMAC);
      const list = { ...values(), action: 'list' };
      should((await post(list)).text)
        .containEql('"secret":"unknown"')
        .and.not.containEql(HMAC);
      credentials.set('daily', { hmac: HMAC });
      should((await post(list)).text)
        .containEql('"secret":"known"')
        .and.not.containEql(HMAC);
      should((await post({ ...list, hmac: '' })).text).containEql('"secret":"unknown"');
    });

    it('adds a secret to those of the account, and keeps its other credentials', async () => {
      const { uuid } = registered(HMAC);
      credentials.set('daily', { hmac: 'b2xk', apiKey: 'key' });
      const { body, text } = await store(uuid);
      should((body['result'] as { isStored: boolean }).isStored).be.true();
      should(credentials.get('daily')).deepEqual({ hmac: `b2xk ${HMAC}`, apiKey: 'key' });
      should(text).not.containEql(HMAC).and.not.containEql('b2xk');
      should(logged.join()).not.containEql(HMAC);
      should(((await store(uuid)).body['result'] as { isStored: boolean }).isStored).be.false();
    });

    it('adds it to a secret that is typed and not deployed', async () => {
      const { uuid } = registered(HMAC);
      await store(uuid, { hmac: 'dHlwZWQ=' });
      should(credentials.get('daily')).deepEqual({ hmac: `dHlwZWQ= ${HMAC}` });
    });

    it('touches no other node', async () => {
      const { uuid } = registered(HMAC);
      nodes.set('other', { type: 'another-node', credentials: { hmac: HMAC } });
      for (const account of ['other', '']) should((await store(uuid, { account })).status).equal(400);
      should(credentials.size).equal(0);
    });

    it('explains why a URL cannot be registered', async () => {
      const create = { ...values(), action: 'create', url: url(), eventTypes: ['recording.error'] };
      should((await post(create)).text).match(/Daily tests the URL/);
      should(credentials.size).equal(0);
    });
  });
});
