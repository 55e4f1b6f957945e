import should from 'should';
import { dailyProvider } from '../../../src/providers/daily/daily-provider';
import { telnyxProvider } from '../../../src/providers/telnyx/telnyx-provider';
import { type HealthQuery, plainUrl } from '../../../src/providers/webhook-health';
import { DailyStandIn } from '../../../src/simulator/daily/daily-stand-in';
import { TelnyxStandIn } from '../../../src/simulator/stand-in';
import { leadsTo } from '../../../nodes/webhook/webhook-health';

const NOW = Date.UTC(2026, 2, 4, 12);
const { signal } = new AbortController();
const query: HealthQuery = {
  isOurs: leadsTo([
    { path: '/telnyx', publicUrl: '' },
    { path: '/daily', publicUrl: 'https://hooks.example.com' }
  ]),
  from: NOW - 3_600_000,
  to: NOW
};

describe('an address in a message', () => {
  it('has no login, query or fragment', () => {
    should(plainUrl('https://user:secret@hooks.example.com:8443/telnyx?token=secret#secret')).equal(
      'https://hooks.example.com:8443/telnyx'
    );
    should(plainUrl('secret')).equal('an address that cannot be read');
    should(plainUrl('data:secret')).equal('data:');
  });
});

describe('whether deliveries to this Node-RED fail', () => {
  let telnyx: TelnyxStandIn;
  let daily: DailyStandIn;
  beforeEach(async () => {
    [telnyx, daily] = [new TelnyxStandIn(), new DailyStandIn()];
    await Promise.all([telnyx.start(), daily.start()]);
  });
  afterEach(() => Promise.all([telnyx.stop(), daily.stop()]));

  async function ask(standIn: TelnyxStandIn | DailyStandIn, apiKey = standIn.apiKey) {
    const definition = standIn === telnyx ? telnyxProvider : dailyProvider;
    const health = definition.openHealth!({ apiUrl: standIn.apiUrl, apiKey: () => apiKey }, {});
    try {
      return await health.check(query, signal);
    } finally {
      await health.close();
    }
  }
  const lose = (url: string, at: number) => telnyx.lose(telnyx.sample('call.hangup'), url, at);

  it('is seen in the log of Telnyx, for own paths within the span', async () => {
    should(await ask(telnyx)).deepEqual([]);
    lose('https://example.com/other', NOW - 1000);
    lose('https://example.com/telnyx?token=secret', NOW - 1000);
    lose('https://example.com/proxied/telnyx', NOW - 60_000);
    lose('https://example.com/telnyx', NOW - 7_200_000);
    const [problem, ...others] = await ask(telnyx);
    should(others).be.empty();
    should(problem).have.properties({
      provider: 'telnyx',
      problem: 'deliveries-failed',
      url: 'https://example.com/telnyx',
      failed: 2,
      complete: true,
      last: new Date(NOW - 1000).toISOString()
    });
    should(JSON.stringify(problem)).not.containEql('secret');
  });

  it('is seen with few requests, however many failed', async () => {
    for (let index = 0; index < 150; index += 1) lose('https://example.com/telnyx', NOW - index);
    const [problem] = await ask(telnyx);
    should(problem).have.properties({ failed: 112, complete: false });
    should(problem!.message).match(/^At least 112/);
  });

  it('is seen in the state of the webhooks at Daily, for the own host', async () => {
    const url = 'https://hooks.example.com/daily?token=secret';
    daily.webhooks.add(url, { state: 'ACTIVE' });
    daily.webhooks.add('https://other.example.com/daily', { state: 'FAILED' });
    should(await ask(daily)).deepEqual([]);
    daily.webhooks.webhooks[0]!.state = 'FAILED';
    daily.webhooks.webhooks[0]!.failedCount = 3;
    const problems = await ask(daily);
    should(problems).have.length(1);
    should(problems[0]).have.properties({
      problem: 'webhook-failed',
      url: 'https://hooks.example.com/daily',
      failed: 3
    });
    should(JSON.stringify(problems))
      .not.containEql('secret')
      .and.not.containEql(daily.webhooks.webhooks[0]!.hmac);
  });

  it('is not known without a good key', async () => {
    for (const standIn of [telnyx, daily])
      await should(ask(standIn, 'wrong')).be.rejectedWith({ code: 'API_UNAUTHORIZED' });
  });
});
