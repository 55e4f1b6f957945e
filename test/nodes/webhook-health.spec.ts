import { EventEmitter } from 'node:events';
import should from 'should';
import { reportHealth } from '../../nodes/list/list-health';
import type { FlowMessage, NodeRedApi, RedNode } from '../../nodes/lib/node-red';
import { watchHealth } from '../../nodes/webhook/webhook-health';
import { noteReceiver } from '../../nodes/webhook/webhook-receivers';
import { dailyProvider } from '../../src/providers/daily/daily-provider';
import type { ProviderAccount } from '../../src/providers/provider';
import type { WebhookProblem } from '../../src/providers/webhook-health';
import { DailyStandIn } from '../../src/simulator/daily/daily-stand-in';
import { until } from '../support/until';

const ADDRESS = { path: '/daily', publicUrl: '' };
const SOON = { first: 1, interval: 1 };

/** A node that only remembers. */
class FakeNode extends EventEmitter {
  readonly warnings: string[] = [];
  constructor(
    readonly type: string,
    readonly id = 'node'
  ) {
    super();
  }
  warn(text: string): void {
    this.warnings.push(text);
  }
  get asNode(): RedNode {
    return this as unknown as RedNode;
  }
  close(): Promise<void> {
    const closings = this.listeners('close').map(
      (listener) => new Promise<void>((resolve) => void listener.call(this, false, resolve))
    );
    return Promise.all(closings).then(() => undefined);
  }
}

const NO_SAMPLES = { send: () => Promise.reject(new Error('No sample is sent here')) };

describe('the health of webhooks at the nodes', () => {
  let daily: DailyStandIn;
  let node: FakeNode;
  let RED: NodeRedApi;
  let account: ProviderAccount;
  let seen: (readonly WebhookProblem[])[];

  beforeEach(async () => {
    daily = new DailyStandIn();
    await daily.start();
    node = new FakeNode('daily-webhook-in');
    seen = [];
    account = { apiUrl: daily.apiUrl, apiKey: () => daily.apiKey };
    RED = { events: new EventEmitter(), _: (key: string) => key } as unknown as NodeRedApi;
    daily.webhooks.add('https://hooks.example.com/daily', { state: 'FAILED', failedCount: 3 });
  });
  afterEach(async () => {
    await node.close();
    await daily.stop();
  });

  function watch(given: ProviderAccount | null = account): void {
    const onChecked = (problems: readonly WebhookProblem[]): void => void seen.push(problems);
    watchHealth(
      RED,
      node.asNode,
      { definition: dailyProvider, account: given, address: ADDRESS, onChecked },
      SOON
    );
    RED.events.emit('flows:started');
  }

  describe('a webhook node', () => {
    it('sees a webhook that failed, and that it is active again', async () => {
      watch();
      const first = await until('a check', () => seen[0]);
      should(first.map(({ problem }) => problem)).eql(['webhook-failed']);
      daily.webhooks.webhooks[0]!.state = 'ACTIVE';
      await until('a check without a problem', () => (seen.at(-1)!.length === 0 ? true : undefined));
    });

    it('asks nothing without an API key, and nothing after it is closed', async () => {
      watch(null);
      watch({ ...account, apiKey: () => null });
      watch();
      await until('a check', () => seen[0]);
      await node.close();
      const checks = seen.length;
      const other = new FakeNode('daily-webhook-in');
      let others = 0;
      const onChecked = (): void => void (others += 1);
      watchHealth(
        RED,
        other.asNode,
        { definition: dailyProvider, account, address: ADDRESS, onChecked },
        SOON
      );
      RED.events.emit('flows:started');
      await until('checks of another node', () => (others > 3 ? true : undefined));
      await other.close();
      should(seen).have.length(checks);
    });

    it('receives nevertheless when the API address cannot be used', () => {
      watch({ ...account, apiUrl: 'ftp://example.com' });
      should(node.warnings[0]).match(/API address of the account/);
    });

    it('keeps the last result while the API fails, and warns once', async () => {
      daily.webhooks.faultOf = () => 500;
      watch();
      await until('three requests', () => (daily.webhooks.requests.length > 3 ? true : undefined));
      should(seen).be.empty();
      should(node.warnings).have.length(1);
      should(node.warnings[0])
        .match(/cannot be checked now/)
        .and.not.containEql(daily.apiKey);
      daily.webhooks.faultOf = undefined;
      await until('a check', () => seen[0]);
    });
  });

  describe('a recording list', () => {
    const told: FlowMessage[] = [];
    const report = (): Promise<string> =>
      reportHealth(RED, new FakeNode('telnyx-recording-list').asNode, {
        definition: dailyProvider,
        accounts: new Map([['daily', account]]),
        message: { _msgid: 'run', topic: 'start', kept: true },
        tell: (message) => told.push(message),
        signal: new AbortController().signal
      });
    beforeEach(() => (told.length = 0));

    it('tells of problems of the webhook nodes that run here', async () => {
      const receiver = { isReceiving: () => false, hold: () => undefined };
      noteReceiver(RED, node.asNode, {
        ...ADDRESS,
        receiver,
        samples: NO_SAMPLES,
        replay: () => undefined,
        last: { received: null, refused: null }
      });
      should(await report()).equal('telnyx-recording-list.status.webhook-failed');
      should(told).have.length(1);
      should(told[0]).have.properties({ topic: 'webhook.problem', kept: true });
      should(told[0]!.payload).have.properties({ provider: 'daily', problem: 'webhook-failed', failed: 3 });
    });

    it('asks nothing where no webhook node runs, and survives an API that fails', async () => {
      should(await report()).equal('');
      should(daily.webhooks.requests).be.empty();
      noteReceiver(RED, node.asNode, {
        ...ADDRESS,
        last: { received: null, refused: null },
        receiver: { isReceiving: () => false, hold: () => undefined },
        samples: NO_SAMPLES,
        replay: () => undefined
      });
      daily.webhooks.faultOf = () => 500;
      should(await report()).equal('');
      should(told).be.empty();
    });
  });
});
