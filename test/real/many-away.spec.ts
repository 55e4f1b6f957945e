import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { idInLink, TELNYX } from '../support/archive-source';
import { catchAll, config, node, recorder } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import type { FlowNode } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 1, seed: 3 });

describe('a Redis that two Node-REDs miss for more than a minute', function () {
  this.timeout(240_000);
  let redis: RedisServer;
  let media: LocalServer;
  let folder: string;
  let a: WebhookInstance;
  let b: WebhookInstance;

  const flow = (): FlowNode[] => [
    ...TELNYX.nodes('', ['archive']),
    config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' }),
    node('at-once', 'telnyx-webhook-in', {
      ...{ account: 'account', path: '/at-once', reply: 'at-once', queue: 'queue', health: false },
      ...{ outputs: 1, wires: [['archive']] }
    }),
    node('archive', 'telnyx-recording-download', {
      ...{ ...TELNYX.download, queue: 'queue', destination: 'folder', folder, network: 'any' },
      ...{ filename: '{{recording_id}}.{{ext}}', concurrency: 2, answer: 'queued', wires: [['stored']] }
    }),
    ...recorder('stored', 'stored.jsonl'),
    ...catchAll()
  ];
  const announce = async (to: WebhookInstance, id: string): Promise<number> =>
    (await to.deliver(TELNYX.delivery({ id, storage: media.url }), '/at-once')).status;
  const outputs = (of: WebhookInstance): string[] =>
    of.nodeRed
      .recorded('stored.jsonl')
      .map(({ recording }) => String(recording?.['recording_id']))
      .sort();

  before(async function () {
    redis = await RedisServer.start(this);
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-away-'));
    media = await localServer((request, response) => {
      if (idInLink(request) === '') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
    });
    [a, b] = await Promise.all([
      WebhookInstance.start({ flow: flow() }),
      WebhookInstance.start({ flow: flow() })
    ]);
    for (const { nodeRed } of [a, b]) await nodeRed.waitForLog(/Redis \(.*\) answers/);
  });

  after(async () => {
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (media as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes each of them do its own jobs, and learn afterwards what the other one has accepted', async () => {
    await redis.kill();
    const begun = performance.now();
    for (const { nodeRed } of [a, b]) await nodeRed.waitForLog(/QUEUE_AWAY/);
    for (const id of ['a-1', 'a-2', 'a-1']) should(await announce(a, id)).equal(200);
    for (const id of ['b-1', 'b-2']) should(await announce(b, id)).equal(200);
    await until('what both have done', () => outputs(a).length + outputs(b).length >= 4, {
      deadline: 85_000
    });
    // Before that, it may come back and share them.
    should(performance.now() - begun).be.above(55_000);
    should([outputs(a), outputs(b)]).eql([
      ['a-1', 'a-2'],
      ['b-1', 'b-2']
    ]);

    const from = [a, b].map(({ nodeRed }) => nodeRed.log.length);
    await redis.run();
    for (const [at, { nodeRed }] of [a, b].entries())
      await nodeRed.waitForLog(/Redis \(.*\) answers/, { from: from[at]! });
    // What is told of each of them is noted last.
    await until(
      'the identities in Redis',
      async () => {
        const told = await redis.say('KEYS {telnyx}:identities-told:*');
        return told.startsWith('*2\r\n');
      },
      { deadline: 60_000 }
    );
    for (const id of ['a-1', 'a-2']) should(await announce(b, id)).equal(200);
    for (const id of ['b-1', 'b-2']) should(await announce(a, id)).equal(200);
    // One that both may do now: behind it, nothing of the others is left.
    should(await announce(a, 'shared')).equal(200);
    await until('the last one', () => [...outputs(a), ...outputs(b)].includes('shared'), {
      deadline: 60_000
    });
    should([...outputs(a), ...outputs(b)].sort()).eql(['a-1', 'a-2', 'b-1', 'b-2', 'shared']);
    should(
      readdirSync(folder)
        .filter((name) => name.endsWith('.wav'))
        .sort()
    ).eql(['a-1', 'a-2', 'b-1', 'b-2', 'shared'].map((id) => `${id}.wav`));
    should(media.requests).have.length(5);
  });
});
