import type { ServerResponse } from 'node:http';
import should from 'should';
import { account, catchAll, config, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { signingKey } from '../support/sign';

const API_KEY = 'KEYmade-up-0123456789';
const HOOK = 'https://user:secret@hooks.example.com/telnyx?token=secret';

/** How the API answers the question for webhooks or deliveries. */
type Habit = (response: ServerResponse) => void;

const withStatus =
  (status: number, headers: Record<string, string> = {}): Habit =>
  (response) =>
    response.writeHead(status, headers).end();
const withJson =
  (body: unknown): Habit =>
  (response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
const half: Habit = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
  response.write('{"data":[', () => response.destroy());
};

const attempt = { http: { request: { url: HOOK, headers: [] }, response: null } };
const failedDelivery = (id: string): object => ({
  id,
  record_type: 'webhook_delivery',
  status: 'failed',
  started_at: new Date(Date.now() - 60_000).toISOString(),
  webhook: { id: `event-${id}`, event_type: 'call.hangup' },
  attempts: [attempt]
});
const page = (data: unknown[]): object => ({
  data,
  meta: { page_number: 1, page_size: 250, total_pages: 1, total_results: data.length }
});
const dailyWebhook = (state: string): object => ({
  uuid: '6a1f',
  url: 'https://hooks.example.com/daily',
  state,
  failedCount: 3,
  eventTypes: ['recording.ready-to-download']
});

describe('webhooks that no longer deliver, in a real Node-RED', function () {
  this.timeout(150_000);
  let api: LocalServer;
  let nodeRed: NodeRedProcess;
  let telnyx: Habit;
  let daily: Habit;

  before(async () => {
    telnyx = withJson(page([]));
    daily = withJson([]);
    api = await localServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname === '/v2/webhook_deliveries') telnyx(response);
      else if (pathname === '/v1/webhooks') daily(response);
      else withJson(pathname.startsWith('/v1') ? { total_count: 0, data: [] } : page([]))(response);
    });
    const list = (id: string, provider: string): ReturnType<typeof node>[] => [
      node(`run-${id}`, 'http in', { url: `/run-${id}`, method: 'post', wires: [[`took-${id}`, id]] }),
      node(`took-${id}`, 'http response', { statusCode: '202', headers: {} }),
      node(id, 'telnyx-recording-list', {
        provider,
        account: 'account',
        dailyAccount: 'daily',
        health: true,
        wires: [[], ['seen']]
      })
    ];
    nodeRed = await NodeRedProcess.start({
      flow: [
        tab(),
        account({ apiUrl: `${api.url}/v2`, publicKeys: signingKey(0x21).publicKey }),
        config('daily', 'daily-account', { apiUrl: `${api.url}/v1` }),
        webhookIn({ health: true, publicUrl: 'https://hooks.example.com' }),
        {
          ...webhookIn({ path: '/daily', account: 'daily-account' }),
          id: 'daily-in',
          type: 'daily-webhook-in'
        },
        ...list('telnyx-list', 'telnyx'),
        ...list('daily-list', 'daily'),
        ...recorder(),
        node('status', 'status', { scope: ['webhook'], wires: [['statuses']] }),
        ...recorder('statuses', 'statuses.jsonl'),
        ...catchAll()
      ],
      env: { TELNYX_API_KEY: API_KEY, DAILY_API_KEY: API_KEY, DAILY_HMAC_SECRET: 'KioqKioqKioqKio=' }
    });
  });
  after(async () => {
    await nodeRed.stop();
    await api.close();
  });

  /** Runs a list. @returns what its second output says */
  async function run(list: string): Promise<{ topic: string; payload: Record<string, unknown> }[]> {
    const before = nodeRed.recorded().length;
    const response = await fetch(`${nodeRed.url}/run-${list}`, { method: 'POST' });
    should(response.status).equal(202);
    for (let count = 1; ; count += 1) {
      const messages = await nodeRed.messages(before + count, { deadline: 60_000 });
      const said = messages.slice(before) as unknown as { topic: string; payload: Record<string, unknown> }[];
      // The summary comes last.
      if (said.some(({ payload }) => 'complete' in payload && 'listed' in payload)) return said;
    }
  }
  const problems = async (list: string): Promise<Record<string, unknown>[]> =>
    (await run(list)).filter(({ topic }) => topic === 'webhook.problem').map(({ payload }) => payload);

  it('are reported by the recording list, without what could be a secret', async () => {
    telnyx = withJson(page([failedDelivery('1'), failedDelivery('2'), 7, null, {}]));
    const [lost, ...others] = await problems('telnyx-list');
    should(others).eql([]);
    should(lost).have.properties({
      provider: 'telnyx',
      problem: 'deliveries-failed',
      url: 'https://hooks.example.com/telnyx',
      failed: 2
    });
    daily = withJson([dailyWebhook('FAILED'), dailyWebhook('ACTIVE')]);
    const [ended, ...more] = await problems('daily-list');
    should(more).eql([]);
    should(ended).have.properties({ provider: 'daily', problem: 'webhook-failed', failed: 3 });
    should(nodeRed.log).not.match(/secret@|token=|KEYmade/);
  });

  it('are none while all is well', async () => {
    telnyx = withJson(page([]));
    daily = withJson([dailyWebhook('ACTIVE')]);
    should(await problems('telnyx-list')).eql([]);
    should(await problems('daily-list')).eql([]);
  });

  for (const [name, habit] of [
    ['404', withStatus(404)],
    ['401', withStatus(401)],
    ['429', withStatus(429, { 'retry-after': '1' })],
    ['half an answer', half],
    ['something else', withJson({ anything: ['else'] })]
  ] as const) {
    it(`end no run when the API answers with ${name}, and the log says why`, async () => {
      for (const list of ['telnyx-list', 'daily-list']) {
        const from = nodeRed.log.length;
        telnyx = daily = habit;
        const said = await run(list);
        should(said.map(({ topic }) => topic)).not.containEql('webhook.problem');
        should(said.at(-1)?.payload).have.property('complete', true);
        await nodeRed.waitForLog(/Whether deliveries fail cannot be checked now\. \S+/, { from });
      }
    });
  }

  it('are in the status of the webhook node, beside its counts', async () => {
    telnyx = withJson(page([failedDelivery('1')]));
    // The node asks half a minute after the start at the earliest, and every five minutes from then on.
    await nodeRed.stop({ keep: true });
    await nodeRed.start();
    const before = nodeRed.recorded('statuses.jsonl').length;
    for (let count = 1; ; count += 1) {
      const found = await nodeRed.messages(before + count, { file: 'statuses.jsonl', deadline: 60_000 });
      const status = (found.at(-1) as unknown as { status: { text: string; fill: string } }).status;
      if (!/1 did not arrive/.test(status.text)) continue;
      should(status.text).match(/ready|received/);
      should(status.fill).equal('yellow');
      break;
    }
  });
});
