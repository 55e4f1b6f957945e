import should from 'should';
import { readQueue, type QueueConfig } from '../../nodes/config/queue/queue-settings';
import { isEncryptionKey } from '../../nodes/config/queue/queue-fields';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxQueue from '../../nodes/telnyx-queue';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { CodedError } from '../../src/errors/coded-error';
import type { NodeConfig, NodeRedApi, RedNode } from '../../nodes/lib/node-red';
import { account, config, node, tab } from '../support/flows';
import { nodeHelper } from '../support/node-helper';
import { until } from '../support/until';
import { NodeStage } from './node-stage';

const KEY = Buffer.alloc(32, 0xf7).toString('base64');

describe('telnyx-queue', () => {
  const read = (
    given: Partial<QueueConfig>,
    credentials: Record<string, string> = {},
    environment: Record<string, string> = {}
  ) => readQueue(given, credentials, environment);
  const refused = (given: Partial<QueueConfig>, credentials: Record<string, string> = {}): string => {
    try {
      read({ url: 'redis://redis.example.com', ...given }, credentials);
      return '';
    } catch (error) {
      should(error).be.instanceOf(CodedError).and.have.property('code', 'BAD_SETTING');
      return (error as CodedError).message;
    }
  };

  it('takes the address from REDIS_URL when it is blank, with the password in it', () => {
    const environment = { REDIS_URL: 'redis://:from-env@redis.example.com:6380' };
    for (const url of ['', '  ', '${REDIS_URL}'])
      should(read({ url }, {}, environment).url).equal(environment.REDIS_URL);
    should(() => read({ url: '' })).throw(CodedError, { code: 'BAD_SETTING', message: /REDIS_URL/ });
  });

  it('has defaults, and holds deliveries while Redis is away', () => {
    const settings = read({ url: 'redis://redis.example.com' }, { password: 'p@ss' });
    should(settings).containEql({ prefix: 'telnyx', whenAway: 'hold', encryptionKey: null });
    should(settings.password).equal('p@ss');
    should(read({ url: 'rediss://h', whenAway: 'refuse' }).whenAway).equal('refuse');
  });

  it('refuses what cannot work, and repeats no secret', () => {
    should(refused({ url: 'http://:secret-1@redis.example.com' }))
      .match(/The URL of the queue/)
      .and.not.match(/secret-1/);
    should(refused({ prefix: 'a{b}:c' })).match(/"Prefix"/);
    should(refused({ whenAway: 'lose' })).match(/"Redis away"/);
    should(refused({}, { encryptionKey: 'secret-2' }))
      .match(/"Encryption"/)
      .and.not.match(/secret-2/);
    should(read({ url: 'redis://h' }, { encryptionKey: KEY }).encryptionKey).eql(Buffer.alloc(32, 0xf7));
  });

  it('knows base64 of 32 bytes from everything else', () => {
    for (let length = 30; length < 35; length++) {
      const text = Buffer.alloc(length, 0xff).toString('base64');
      should([length, isEncryptionKey(text)]).eql([length, length === 32]);
    }
    // Another text for the same bytes.
    should(isEncryptionKey(KEY.replace(/.=$/, '9='))).be.false();
  });

  describe('in a flow', () => {
    let stage: NodeStage | undefined;

    afterEach(async () => {
      await stage?.unload();
      stage = undefined;
    });

    async function start(
      queue: Record<string, unknown>,
      choice: Record<string, unknown>
    ): Promise<NodeStage> {
      stage = await NodeStage.load(
        [telnyxAccount, telnyxQueue, recordingDownload],
        [
          tab(),
          account(),
          config('queue', 'telnyx-queue', queue),
          node('download', 'telnyx-recording-download', { account: 'account', ...choice }),
          node('catch', 'catch', { scope: null, wires: [['caught']] }),
          node('caught', 'recorder')
        ]
      );
      return stage;
    }

    it('is reported by the node that has chosen it when it is disabled or wrong', async () => {
      const started = await start({ url: 'redis://127.0.0.1' }, { queue: 'gone' });
      await until('the error', () => started.caught.some(({ source }) => source.id === 'download'));
      should(started.caught[0]).containEql({ code: 'BAD_SETTING' });
      should(started.caught[0]?.message).match(/missing or disabled/);
    });

    it('has the download node warn at each start of the flows of an http response node behind it', async () => {
      const flow = (queue: string): object[] => [
        ...[tab(), account(), config('queue', 'telnyx-queue', { url: 'redis://127.0.0.1:1' })],
        node('download', 'telnyx-recording-download', {
          ...{ account: 'account', folder: 'archive', queue, wires: [['between']] }
        }),
        node('between', 'recorder', { wires: [['reply']] }),
        node('reply', 'http response', { name: 'Reply' })
      ];
      const warnings = (): string[] => (stage?.log() ?? []).filter((line) => line.includes('"Reply"'));
      const httpResponse = (RED: NodeRedApi): void =>
        RED.nodes.registerType('http response', function (this: RedNode, own: NodeConfig) {
          RED.nodes.createNode(this, own);
        });
      const modules = [telnyxAccount, telnyxQueue, recordingDownload, httpResponse];
      stage = await NodeStage.load(modules, flow('queue'));
      await until('the warning', () => warnings().length > 0);
      should(warnings()).have.length(1);
      should(warnings()[0]).match(/cannot answer.*"Answer"/);
      // Nothing has changed: no node is made anew.
      await nodeHelper.setFlows(flow('queue'), 'nodes');
      await until('the next warning', () => warnings().length > 1);
      await stage.unload();

      stage = await NodeStage.load(modules, flow(''));
      should(warnings()).be.empty();
    });
  });
});
