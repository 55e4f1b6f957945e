import should from 'should';
import { TelnyxStandIn } from '../../../../src/simulator/stand-in';
import { closeServers, serve } from '../../webhook/express/real-http';

interface Listed {
  id: string;
  status: string;
  webhook: { id: string; event_type: string; payload: object };
  attempts: {
    status: string;
    errors: number[];
    http: { request: { url: string }; response: object | null };
  }[];
}

const NOON = Date.parse('2026-03-04T12:00:00Z');
const MINUTE = 60_000;

describe('simulator deliveries API', () => {
  let now: number;
  let standIn: TelnyxStandIn;

  beforeEach(async () => {
    now = NOON;
    standIn = new TelnyxStandIn({ clock: () => now });
    await standIn.start();
  });
  afterEach(async () => {
    await standIn.stop();
    await closeServers();
  });

  async function list(query = ''): Promise<{ data: Listed[]; meta: Record<string, number> }> {
    const response = await fetch(`${standIn.apiUrl}/webhook_deliveries?${query}`, {
      headers: { authorization: `Bearer ${standIn.apiKey}` }
    });
    should(response.status).equal(200);
    return (await response.json()) as Awaited<ReturnType<typeof list>>;
  }

  it('lists delivered, rejected and lost deliveries, newest first', async () => {
    const statuses = [503, 200, 404];
    const port = await serve((_request, response) => response.writeHead(statuses.shift() ?? 500).end());
    const to = `http://127.0.0.1:${port}/telnyx`;
    for (const event of ['call.hangup', 'call.answered'])
      await standIn.deliver(standIn.sample(event), to, { retryDelaysMs: [0] });
    now += MINUTE;
    standIn.lose(standIn.sample('message.received'), 'https://hooks.example.com/telnyx');
    const { data, meta } = await list();
    meta.should.eql({ page_number: 1, page_size: 20, total_pages: 1, total_results: 3 });
    data
      .map(({ status, webhook, attempts }) => [
        status,
        webhook.event_type,
        attempts.map(({ errors }) => errors)
      ])
      .should.eql([
        ['failed', 'message.received', [[75002], [75002]]],
        ['delivered', 'call.hangup', [[], [75599]]],
        ['failed', 'call.answered', [[75499]]]
      ]);
    data[1]!.attempts[0]!.http.request.url.should.equal(to);
    data[1]!.webhook.should.have.properties(['id', 'payload', 'occurred_at']);
    const one = await fetch(`${standIn.apiUrl}/webhook_deliveries/${data[0]!.id}`, {
      headers: { authorization: `Bearer ${standIn.apiKey}` }
    });
    should(((await one.json()) as { data: Listed }).data).eql(data[0]);
  });

  it('filters and pages', async () => {
    for (let index = 0; index < 30; index += 1) {
      const event = index % 3 === 0 ? 'message.received' : 'call.hangup';
      standIn.lose(standIn.sample(event), `https://example.com/${index % 2}`, NOON - index * MINUTE);
    }
    const count = async (query: string): Promise<number> => (await list(query)).meta['total_results']!;
    should(await count('filter[event_type]=message.received,call.answered')).equal(10);
    should(await count('filter[status][eq]=delivered')).equal(0);
    should(await count('filter[status][eq]=failed')).equal(30);
    should(await count('filter[attempts][contains]=example.com/1')).equal(15);
    should(await count('filter[webhook][contains]=hangup')).equal(20);
    const span = `filter[started_at][gte]=${new Date(NOON - 9 * MINUTE).toISOString()}`;
    should(await count(`${span}&filter[started_at][lte]=${new Date(NOON - MINUTE).toISOString()}`)).equal(9);
    const pages = await Promise.all([1, 2, 3, 4].map((page) => list(`page[size]=9&page[number]=${page}`)));
    new Set(pages.flatMap(({ data }) => data.map(({ id }) => id))).size.should.equal(30);
  });

  for (const [query, status] of [
    ['page[size]=251', 422],
    ['filter[colour]=red', 422],
    ['filter[started_at][gte]=noon', 422]
  ] as const)
    it(`refuses ${query}`, async () => {
      const headers = { authorization: `Bearer ${standIn.apiKey}` };
      should((await fetch(`${standIn.apiUrl}/webhook_deliveries?${query}`, { headers })).status).equal(
        status
      );
      should((await fetch(`${standIn.apiUrl}/webhook_deliveries?${query}`)).status).equal(401);
    });
});
