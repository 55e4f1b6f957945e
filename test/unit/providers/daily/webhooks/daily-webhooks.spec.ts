import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { DailyApi } from '../../../../../src/providers/daily/daily-client';
import {
  activateDailyWebhook,
  createDailyWebhook,
  listDailyWebhooks
} from '../../../../../src/providers/daily/webhooks/daily-webhooks';
import type { Ask } from '../../../../../src/providers/http/patient-request';
import { DailyStandIn } from '../../../../../src/simulator/daily/daily-stand-in';

const { signal } = new AbortController();
const HMAC = Buffer.from('a secret of the account').toString('base64');

describe('webhooks at Daily', () => {
  let standIn: DailyStandIn;
  let api: DailyApi;
  let node: Server;
  let url: string;
  let status: number;
  const probes: string[] = [];

  beforeEach(async () => {
    standIn = new DailyStandIn();
    await standIn.start();
    api = new DailyApi({ apiUrl: standIn.apiUrl, apiKey: () => standIn.apiKey });
    status = 200;
    probes.length = 0;
    node = createServer((request, response) => {
      request.on('data', (piece: Buffer) => probes.push(piece.toString()));
      request.on('end', () => response.writeHead(status).end());
    }).listen(0, '127.0.0.1');
    await once(node, 'listening');
    url = `http://127.0.0.1:${(node.address() as AddressInfo).port}/daily`;
  });
  afterEach(async () => {
    await api.close();
    await standIn.stop();
    node.closeAllConnections();
    node.close();
  });

  const ask: Ask = (request) => api.request({ ...request, signal });
  const create = (properties: object = {}) =>
    createDailyWebhook(ask, { url, eventTypes: ['recording.ready-to-download'], hmac: null, ...properties });

  it('are listed, with every spelling of a state', async () => {
    const spellings: [unknown, string][] = [
      ['ACTIVE', 'active'],
      ['active', 'active'],
      [1, 'active'],
      ['FAILED', 'failed'],
      [0, 'failed'],
      ['INACTIVE', 'inactive'],
      ['STOPPED', 'inactive'],
      [2, 'inactive'],
      ['constructor', 'unknown'],
      [null, 'unknown']
    ];
    for (const [state] of spellings) standIn.webhooks.add(url, { state: state as string });
    const states = (await listDailyWebhooks(ask)).map(({ webhook }) => webhook.state);
    should(states).deepEqual(spellings.map(([, state]) => state));
  });

  it('are listed with what Daily says of them', async () => {
    const lastMomentPushed = '2026-03-04T09:15:02.000Z';
    const { uuid, hmac } = standIn.webhooks.add(url, { failedCount: 3, state: 'FAILED', lastMomentPushed });
    should(await listDailyWebhooks(ask)).deepEqual([
      {
        webhook: {
          uuid,
          url,
          state: 'failed',
          event_types: ['recording.ready-to-download'],
          retry_type: 'circuit-breaker',
          failed_count: 3,
          last_pushed: lastMomentPushed
        },
        hmac
      }
    ]);
  });

  it('are read leniently: anything may be missing, nothing is taken for an address', async () => {
    const answers: [unknown, number][] = [
      [[], 0],
      [{ data: [{ uuid: 'a' }] }, 1],
      [[{ uuid: 'a', hmac: 'not base64!' }, null, 'x', { uuid: '../x' }, { uuid: ['a'] }, {}], 1]
    ];
    for (const [answer, count] of answers) {
      const found = await listDailyWebhooks(() => Promise.resolve(answer));
      should(found).have.length(count);
      should(found.every(({ hmac }) => hmac === null)).be.true();
    }
    for (const answer of [null, {}, 'x', { data: {} }])
      await should(listDailyWebhooks(() => Promise.resolve(answer))).be.rejectedWith(/other than a list/);
  });

  it('are created with retries, after Daily has tested the URL', async () => {
    const { webhook, hmac } = await create();
    should(probes).deepEqual(['{"test":"test"}']);
    should(webhook).have.properties({ url, state: 'active', retry_type: 'exponential' });
    should(hmac).equal(standIn.webhooks.webhooks[0]!.hmac);
  });

  it('are created with a secret that exists already', async () => {
    should((await create({ hmac: HMAC })).hmac).equal(HMAC);
  });

  it('are not created twice', async () => {
    await create();
    await should(create()).be.rejectedWith(/already/);
    should(standIn.webhooks.webhooks).have.length(1);
  });

  it('are created also when the answer is lost', async () => {
    standIn.webhooks.faultOf = (method) => (method === 'POST' ? 'cut' : undefined);
    const { webhook, hmac } = await create();
    should([webhook.url, hmac]).deepEqual([url, standIn.webhooks.webhooks[0]!.hmac]);
  });

  it('are not created when the URL does not answer 200, which is explained', async () => {
    status = 404;
    await should(create()).be.rejectedWith(/answered 400 .*Daily tests the URL .*deploy this node first/);
    should(standIn.webhooks.webhooks).be.empty();
  });

  for (const wrong of [
    { url: 'ftp://example.com/' },
    { url: '/daily' },
    { eventTypes: [] },
    { eventTypes: ['no type'] },
    { eventTypes: Array.from({ length: 101 }, () => 'a.b') }
  ])
    it(`are not created from ${JSON.stringify(wrong).slice(0, 60)}`, async () => {
      await should(create(wrong)).be.rejectedWith({ code: 'BAD_SETTING' });
      should(standIn.webhooks.requests).be.empty();
    });

  for (const [fault, code] of [
    [401, 'API_UNAUTHORIZED'],
    [403, 'API_UNAUTHORIZED'],
    [404, 'API_NOT_FOUND'],
    [429, 'RATE_LIMITED'],
    [500, 'LINK_REFUSED']
  ] as const)
    it(`are neither created nor activated when Daily answers ${fault}`, async () => {
      const { uuid } = standIn.webhooks.add(`${url}/failed`, { state: 'FAILED' });
      standIn.webhooks.faultOf = (method) => (method === 'POST' ? fault : undefined);
      await should(create()).be.rejectedWith({ code });
      await should(activateDailyWebhook(ask, { uuid, url: `${url}/failed` })).be.rejectedWith({ code });
    });

  describe('are activated again', () => {
    it('with their own URL', async () => {
      const { uuid, hmac } = standIn.webhooks.add(url, { state: 'FAILED', failedCount: 3 });
      const after = await activateDailyWebhook(ask, { uuid, url });
      should(after.webhook).have.properties({ state: 'active', failed_count: 0 });
      should(after.hmac).equal(hmac);
      should(probes).have.length(1);
    });

    it('also when the answer is lost', async () => {
      const { uuid } = standIn.webhooks.add(url, { state: 'FAILED' });
      standIn.webhooks.faultOf = (method) => (method === 'POST' ? 'cut' : undefined);
      should((await activateDailyWebhook(ask, { uuid, url })).webhook.state).equal('active');
    });

    it('not while the URL does not answer', async () => {
      status = 503;
      const { uuid } = standIn.webhooks.add(url, { state: 'FAILED' });
      await should(activateDailyWebhook(ask, { uuid, url })).be.rejectedWith(/Daily tests the URL/);
      should(standIn.webhooks.webhooks[0]!.state).equal('FAILED');
    });

    it('not when they are gone, or have another URL now', async () => {
      const { uuid } = standIn.webhooks.add(`${url}/other`, { state: 'FAILED' });
      for (const one of [uuid, 'gone', '../recordings'])
        await should(activateDailyWebhook(ask, { uuid: one, url })).be.rejectedWith({ code: 'BAD_SETTING' });
      should(standIn.webhooks.requests.filter((line) => line.startsWith('POST'))).be.empty();
    });

    it('not when Daily says yes but leaves them as they are', async () => {
      const listed = [{ uuid: 'a', url, state: 'FAILED' }];
      const still: Ask = ({ method }) => Promise.resolve(method === 'GET' ? listed : listed[0]);
      await should(activateDailyWebhook(still, { uuid: 'a', url })).be.rejectedWith(/still not active/);
    });
  });
});
