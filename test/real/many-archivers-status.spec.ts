import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { config, node, recorder } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import type { FlowNode } from '../support/node-red-process';
import { type NodeStatus, nodeStatus } from '../support/node-statuses';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 1, seed: 9 });

describe('two Node-REDs with one queue show', function () {
  this.timeout(240_000);
  let redis: RedisServer;
  let media: LocalServer;
  let folder: string;
  let a: WebhookInstance;
  let b: WebhookInstance;
  const held: ServerResponse[] = [];

  const flow = (name: string, encryptionKey?: string): FlowNode[] => [
    ...TELNYX.nodes('', ['archive']),
    config('queue', 'telnyx-queue', {
      ...{ url: redis.url, prefix: 'telnyx', whenAway: 'hold' },
      ...(encryptionKey !== undefined && { credentials: { encryptionKey } })
    }),
    node('archive', 'telnyx-recording-download', {
      ...{ ...TELNYX.download, queue: 'queue', destination: 'folder', folder, network: 'any' },
      ...{
        filename: `${name}{{recording_id}}.{{ext}}`,
        concurrency: 1,
        answer: 'queued',
        wires: [['stored']]
      }
    }),
    ...recorder('stored', 'stored.jsonl')
  ];
  const announce = async (to: WebhookInstance, id: string): Promise<number> =>
    (await to.deliver(TELNYX.delivery({ id, storage: media.url }))).status;
  const shows = (of: WebhookInstance, wanted: RegExp): Promise<NodeStatus> =>
    nodeStatus(of.nodeRed, 'archive', ({ text = '' }) => wanted.test(text));
  const warned = ({ nodeRed }: WebhookInstance): number =>
    nodeRed.log.split('has other settings in').length - 1;
  const release = (): void => {
    for (const response of held.splice(0))
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
  };
  const names = ({ nodeRed }: WebhookInstance): string[] =>
    nodeRed.recorded('stored.jsonl').map(({ payload }) => path.basename(String(payload)));

  before(async function () {
    redis = await RedisServer.start(this);
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-shared-'));
    media = await localServer((_request, response) => void held.push(response));
    [a, b] = await Promise.all([
      WebhookInstance.start({ flow: flow('a-') }),
      WebhookInstance.start({ flow: flow('b-') })
    ]);
  });

  after(async () => {
    release();
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (media as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('where the settings are others, warn once, and each stores with its own', async () => {
    for (const one of [a, b]) {
      const { text, fill } = await shows(one, /^other settings/);
      should(text).equal(`other settings: ${hostname()}`);
      should(fill).equal('yellow');
      await one.nodeRed.waitForLog(/"File name" \(/);
    }
    for (const id of ['one', 'two']) should(await announce(a, id)).equal(200);
    await until('both at work', () => held.length === 2);
    release();
    await until('two outputs', () => names(a).length + names(b).length === 2);
    should([names(a).length, names(b).length]).eql([1, 1]);
    should(names(a)[0]).match(/^a-/);
    should(names(b)[0]).match(/^b-/);
    should([warned(a), warned(b)]).eql([1, 1]);
  });

  it('how many work on what, once the settings are equal', async () => {
    await b.nodeRed.deploy(flow('a-'));
    for (const id of ['three', 'four', 'five', 'six']) should(await announce(a, id)).equal(200);
    for (const one of [a, b]) {
      const { fill } = await shows(one, /^1 here · 2 in 2 instances · 2 waiting$/);
      should(fill).equal('blue');
    }
    const serve = setInterval(release, 50);
    try {
      await until('six outputs', () => names(a).length + names(b).length === 6);
    } finally {
      clearInterval(serve);
    }
    await shows(a, /^\d stored$/);
  });

  it('that Redis is away', async () => {
    await redis.kill();
    should((await shows(a, /^queue away/)).fill).equal('yellow');
    await redis.run();
    await shows(a, /^\d stored$/);
  });

  it('that one has another key, and warn once, until they have the same', async () => {
    await b.nodeRed.deploy(flow('a-', randomBytes(32).toString('base64')));
    for (const one of [a, b]) {
      should((await shows(one, /^other settings/)).fill).equal('yellow');
      await one.nodeRed.waitForLog(/"Encryption" \(/);
    }
    // Without the field, Node-RED keeps the key.
    await b.nodeRed.deploy(flow('a-', ''));
    await shows(a, /^\d stored$/);
    for (const { nodeRed } of [a, b]) should(nodeRed.log.split('"Encryption" (')).have.length(2);
  });
});
