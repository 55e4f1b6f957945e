import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { idInLink, TELNYX } from '../support/archive-source';
import { catchAll, config, node, recorder } from '../support/flows';
import { type LocalServer, localServer, sha256, wav } from '../support/media';
import type { FlowNode, RecordedMessage } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 2, seed: 9 });

describe('two Node-REDs with one queue archive', function () {
  this.timeout(240_000);
  let redis: RedisServer;
  let media: LocalServer;
  let folder: string;
  let a: WebhookInstance;
  let b: WebhookInstance;
  /** Answers that wait, by the id of the recording; without `holds` there are none. */
  let holds = false;
  const held = new Map<string, ServerResponse[]>();

  const flow = (): FlowNode[] => [
    ...TELNYX.nodes('', ['archive']),
    config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' }),
    node('archive', 'telnyx-recording-download', {
      ...{ ...TELNYX.download, queue: 'queue', destination: 'folder', folder, network: 'any' },
      ...{ filename: '{{recording_id}}.{{ext}}', concurrency: 1, answer: 'stored', wires: [['stored']] }
    }),
    node('complete', 'complete', { scope: ['archive'], uncaught: false, wires: [['completed']] }),
    ...recorder('stored', 'stored.jsonl'),
    ...recorder('completed', 'completed.jsonl'),
    ...catchAll()
  ];
  const announce = async (to: WebhookInstance, id: string): Promise<number> =>
    (await to.deliver(TELNYX.delivery({ id, storage: media.url }))).status;
  const outputs = (): RecordedMessage[] => [a, b].flatMap(({ nodeRed }) => nodeRed.recorded('stored.jsonl'));
  const outputsOf = (ids: readonly string[]): string[] =>
    outputs()
      .map(({ recording }) => String(recording?.['recording_id']))
      .filter((id) => ids.includes(id))
      .sort();
  const serve = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
  };
  const release = (): void => {
    holds = false;
    for (const response of [...held.values()].flat()) serve(response);
    held.clear();
  };

  before(async function () {
    redis = await RedisServer.start(this);
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-shared-'));
    media = await localServer((request, response) => {
      const id = idInLink(request);
      if (holds) held.set(id, [...(held.get(id) ?? []), response]);
      else serve(response);
    });
    [a, b] = await Promise.all([
      WebhookInstance.start({ flow: flow() }),
      WebhookInstance.start({ flow: flow() })
    ]);
    for (const { nodeRed } of [a, b]) await nodeRed.waitForLog(/Redis \(.*\) answers/);
  });

  after(async () => {
    release();
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (media as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('what one of them was told of: both work, and it answers when all is stored', async () => {
    holds = true;
    const ids = ['one', 'two', 'three', 'four'];
    const answers = ids.map((id) => announce(a, id));
    // Each works on one: both are at work.
    await until('two at work', () => held.size === 2);
    release();
    should(await Promise.all(answers)).eql([200, 200, 200, 200]);
    await until('four outputs', () => outputsOf(ids).length === 4);
    should(outputsOf(ids)).eql([...ids].sort());
    for (const { nodeRed } of [a, b]) should(nodeRed.recorded('stored.jsonl').length).be.above(0);
    await until(
      'done() for each, where they were told',
      () => a.nodeRed.recorded('completed.jsonl').length === 4
    );
    should(b.nodeRed.recorded('completed.jsonl')).eql([]);
    should(readdirSync(folder).filter((name) => name.endsWith('.wav')).length).equal(4);
    for (const id of ids) should(sha256(readFileSync(path.join(folder, `${id}.wav`)))).equal(sha256(CALL));
  });

  it('what the other had in hand when it was killed', async () => {
    holds = true;
    const ids = ['five', 'six'];
    const answers = ids.map((id) => announce(a, id));
    await until('both at work', () => held.size === 2);
    await b.nodeRed.kill('SIGKILL');
    release();
    await Promise.all(answers);
    await until('both outputs', () => outputsOf(ids).length === 2, { deadline: 60_000 });
    should(outputsOf(ids)).eql([...ids].sort());
    await b.nodeRed.start();
  });

  it('what the other had in hand when it was stopped, at once', async () => {
    holds = true;
    const ids = ['seven', 'eight'];
    const answers = ids.map((id) => announce(a, id));
    await until('both at work', () => held.size === 2);
    const begun = performance.now();
    const stopped = b.nodeRed.kill('SIGTERM');
    release();
    should(await Promise.all(answers)).eql([200, 200]);
    // Less than the fifteen seconds after which what a killed process had is taken over.
    should(performance.now() - begun).be.below(14_000);
    await stopped;
    should(outputsOf(ids)).eql([...ids].sort());
    await b.nodeRed.start();
  });

  it('and raise an error once, where it happened', async () => {
    const before = [a, b].flatMap(({ nodeRed }) => nodeRed.recorded('errors.jsonl')).length;
    const gone = TELNYX.delivery({ id: 'nine', storage: 'ftp://example.com' });
    void a.deliver(gone).catch(() => undefined);
    const errors = (): RecordedMessage[] => [a, b].flatMap(({ nodeRed }) => nodeRed.recorded('errors.jsonl'));
    await until('the error', () => errors().length > before);
    should(errors().length).equal(before + 1);
    should(
      a.nodeRed.recorded('completed.jsonl').filter(({ event }) => event?.['id'] === 'event of nine')
    ).eql([]);
  });
});
