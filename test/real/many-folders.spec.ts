import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { catchAll, config, node, recorder } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import type { FlowNode } from '../support/node-red-process';
import { type NodeStatus, nodeStatus } from '../support/node-statuses';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 1, seed: 11 });
/** Network folders may take a minute to show a file. */
const GRACE = 90_000;

describe('two Node-REDs with one queue', function () {
  this.timeout(240_000);
  let redis: RedisServer;
  let media: LocalServer;
  let directory: string;
  let a: WebhookInstance;
  let b: WebhookInstance;

  const at = (...names: string[]): string => path.join(directory, ...names);
  /** What is mounted for one of them, all at once. */
  const mount = (name: string, disk: string): void => {
    symlinkSync(at(disk), at(`${name}-new`));
    renameSync(at(`${name}-new`), at(name));
  };
  const flow = (name: string): FlowNode[] => [
    ...TELNYX.nodes('', ['archive']),
    config('queue', 'telnyx-queue', { url: redis.url, prefix: 'telnyx', whenAway: 'hold' }),
    node('archive', 'telnyx-recording-download', {
      ...{ ...TELNYX.download, queue: 'queue', destination: 'folder', folder: at(name), network: 'any' },
      ...{ filename: '{{recording_id}}.{{ext}}', answer: 'queued', wires: [['stored']] }
    }),
    ...recorder('stored', 'stored.jsonl'),
    ...catchAll()
  ];
  const announce = async (to: WebhookInstance, id: string): Promise<void> => {
    should((await to.deliver(TELNYX.delivery({ id, storage: media.url }))).status).equal(200);
  };
  const shows = (of: WebhookInstance, wanted: RegExp, deadline?: number): Promise<NodeStatus> =>
    nodeStatus(of.nodeRed, 'archive', ({ text = '' }) => wanted.test(text), deadline);
  const storedBy = ({ nodeRed }: WebhookInstance): string[] =>
    nodeRed
      .recorded('stored.jsonl')
      .map(({ recording }) => String(recording?.['recording_id']))
      .sort();
  const filesOn = (disk: string): string[] =>
    readdirSync(at(disk))
      .filter((name) => name.endsWith('.wav'))
      .sort();
  const errors = ({ nodeRed }: WebhookInstance): { code?: string; message?: string }[] =>
    nodeRed.recorded('errors.jsonl').map(({ error }) => error as { code?: string; message?: string });

  before(async function () {
    redis = await RedisServer.start(this);
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-folders-'));
    for (const disk of ['shared', 'stray', 'empty']) mkdirSync(at(disk));
    mount('a', 'shared');
    mount('b', 'stray');
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
    });
    a = await WebhookInstance.start({ flow: flow('a') });
    await a.nodeRed.waitForLog(/Redis \(.*\) answers/);
  });

  after(async () => {
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (media as LocalServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('store while there is only one of them', async () => {
    await announce(a, 'alone');
    await until('the output', () => storedBy(a).length === 1);
    should(filesOn('shared')).eql(['alone.wav']);
  });

  it('store nothing while their folders are not the same, and say what to do', async () => {
    b = await WebhookInstance.start({ flow: flow('b') });
    for (const one of [a, b]) await shows(one, /^checking the folder/);
    for (const [to, id] of [
      [a, 'one'],
      [b, 'two'],
      [b, 'three']
    ] as const)
      await announce(to, id);
    for (const one of [a, b]) {
      const { text, fill } = await shows(one, /^folder not shared/, GRACE);
      should(text).startWith(`folder not shared: ${hostname()} · `);
      should(fill).equal('red');
      await until('the error', () => errors(one).length > 0);
      const [error, ...others] = errors(one);
      should(others).eql([]);
      should(error?.code).equal('BAD_SETTING');
      for (const label of ['"Store in"', '"Folder"', '"Queue"', hostname()])
        should(error?.message).containEql(label);
    }
    // A minute later, nothing of it is anywhere.
    should([filesOn('shared'), filesOn('stray')]).eql([['alone.wav'], []]);
    should(media.requests).have.length(1);
  });

  it('store all of it, once, as soon as the folders are the same', async () => {
    mount('b', 'shared');
    await until('three outputs', () => storedBy(a).length + storedBy(b).length === 4);
    should([...storedBy(a), ...storedBy(b)].sort()).eql(['alone', 'one', 'three', 'two']);
    should([filesOn('shared').length, filesOn('stray').length]).eql([4, 0]);
    for (const { nodeRed } of [a, b]) await nodeRed.waitForLog(/downloads go on/);
  });

  it('leave the work to each other when the disk of one of them is away', async () => {
    const before = storedBy(b).length;
    mount('b', 'empty');
    should((await shows(b, /^checking the folder/)).fill).equal('yellow');
    for (const id of ['four', 'five', 'six']) await announce(b, id);
    await until('three outputs', () => storedBy(a).length + storedBy(b).length === 7);
    should(storedBy(b)).have.length(before);
    should([filesOn('shared').length, filesOn('empty').length]).eql([7, 0]);
    mount('b', 'shared');
    // The folder is said to be another one by its name, which does no harm.
    await shows(b, /^other settings/);
    await a.stop();
    await announce(b, 'seven');
    await until('its output', () => storedBy(b).includes('seven'));
    should(filesOn('shared')).have.length(8);
    should(errors(b)).have.length(1);
  });
});
