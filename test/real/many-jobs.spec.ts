import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { idInLink, TELNYX } from '../support/archive-source';
import { catchAll, config, node, recorder } from '../support/flows';
import { type LocalServer, localServer, sha256, wav } from '../support/media';
import type { FlowNode } from '../support/node-red-process';
import { RedisServer } from '../support/redis-server';
import { TcpRelay } from '../support/tcp-relay';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const CALL = wav({ seconds: 2, seed: 9 });
const JOB_FORMAT = 'node_modules/@red-telephony/node-red-telnyx/dist/src/sharing/jobs/wire/job-format.js';

interface FlowOptions {
  /** Id of the download node. */
  archive?: string;
  whenAway?: 'hold' | 'refuse';
}

describe('a job of two Node-REDs with one queue', function () {
  this.timeout(240_000);
  let redis: RedisServer;
  let media: LocalServer;
  let folder: string;
  let relay: TcpRelay;
  let a: WebhookInstance;
  let b: WebhookInstance;
  /** Requests that wait, by the id of the recording. */
  const held = new Map<string, ServerResponse[]>();
  let holds = true;

  /** @param port of Redis, or of the way to it */
  const flow = (port: number, { archive = 'archive', whenAway = 'hold' }: FlowOptions = {}): FlowNode[] => [
    ...TELNYX.nodes('', [archive]),
    config('queue', 'telnyx-queue', { url: `redis://127.0.0.1:${port}`, prefix: 'telnyx', whenAway }),
    node(archive, 'telnyx-recording-download', {
      ...{ ...TELNYX.download, queue: 'queue', destination: 'folder', folder, network: 'any' },
      ...{ filename: '{{recording_id}}.{{ext}}', concurrency: 1, answer: 'queued', wires: [['stored']] }
    }),
    ...recorder('stored', 'stored.jsonl'),
    ...catchAll()
  ];
  const flowOfA = (options?: FlowOptions): FlowNode[] => flow(relay.port, options);
  const flowOfB = (options?: FlowOptions): FlowNode[] => flow(redis.port, options);
  /** @param event its id; default: one for each recording */
  const announce = async (to: WebhookInstance, id: string, event = `event of ${id}`): Promise<number> =>
    (await to.deliver(TELNYX.delivery({ id, event, storage: media.url }))).status;
  const outputs = (of: WebhookInstance, id: string): number =>
    of.nodeRed.recorded('stored.jsonl').filter(({ recording }) => recording?.['recording_id'] === id).length;
  const output = (id: string) =>
    until(`the output of ${id}`, () => outputs(a, id) + outputs(b, id) > 0, { deadline: 60_000 });
  const asked = (id: string, times = 1) =>
    until(`${times} requests for ${id}`, () => held.get(id)?.length === times, { deadline: 60_000 });

  /** Answers what waits for a recording, or for all of them. */
  function release(...ids: string[]): void {
    for (const id of ids.length === 0 ? [...held.keys()] : ids) {
      for (const response of held.get(id) ?? [])
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': CALL.length }).end(CALL);
      held.delete(id);
    }
  }

  /** Each recording is there once, whole, and under no other name. */
  function shouldBeStoredOnce(...ids: string[]): void {
    const files = readdirSync(folder).filter((name) => name.endsWith('.wav'));
    for (const id of ids) {
      should(files.filter((name) => name.replace(/(_\d+)?\.wav$/, '') === id)).eql([`${id}.wav`]);
      should(sha256(readFileSync(path.join(folder, `${id}.wav`)))).equal(sha256(CALL));
    }
  }

  /** As Redis has it, with what BullMQ notes beside it. */
  const inRedis = async (archive = 'archive'): Promise<{ key: string; data: string }[]> => {
    const keys = (await redis.say(`KEYS {telnyx}:${archive}:*`)).split('\r\n');
    const jobs = keys.filter((key) => /^\{telnyx\}:[^:]+:[0-9a-z]{20,}$/.test(key));
    return Promise.all(jobs.map(async (key) => ({ key, data: await redis.say(`HGET ${key} data`) })));
  };
  const inDelay = async (): Promise<{ id: string; dueInMs: number }[]> => {
    const answer = await redis.say('ZRANGE {telnyx}:archive:delayed 0 -1 WITHSCORES');
    const words = answer.split('\r\n').filter((line) => /^[0-9a-z]/.test(line));
    // BullMQ sorts by milliseconds and the order of arrival.
    return words.flatMap((id, at) =>
      at % 2 === 0 ? [{ id, dueInMs: Number(words[at + 1]) / 0x1000 - Date.now() }] : []
    );
  };
  const isConnected = async (of: WebhookInstance, from: number): Promise<void> => {
    await of.nodeRed.waitForLog(/Redis \(.*\) answers/, { from });
  };

  before(async function () {
    redis = await RedisServer.start(this);
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-jobs-'));
    relay = await TcpRelay.start(redis.port);
    media = await localServer((request, response) => {
      const id = idInLink(request);
      held.set(id, [...(held.get(id) ?? []), response]);
      if (!holds) release(id);
    });
    [a, b] = await Promise.all([
      WebhookInstance.start({ flow: flowOfA() }),
      WebhookInstance.start({ flow: flowOfB() })
    ]);
    for (const one of [a, b]) await isConnected(one, 0);
  });

  beforeEach(() => {
    holds = true;
  });

  after(async () => {
    holds = false;
    release();
    for (const one of [a, b] as (WebhookInstance | undefined)[]) await one?.stop();
    await (media as LocalServer | undefined)?.close();
    await (relay as TcpRelay | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is in Redis and on disk when it is answered: one of them is enough', async () => {
    // Both are busy, so nobody has begun with the next ones.
    for (const id of ['busy-1', 'busy-2']) should(await announce(a, id)).equal(200);
    await until('both at work', () => held.size === 2);
    should(await announce(a, 'in-redis')).equal(200);
    const [job] = (await inRedis()).filter(({ data }) => data.includes('in-redis'));
    should(job).be.ok();
    await a.nodeRed.kill();
    holds = false;
    release();
    await output('in-redis');
    should(outputs(b, 'in-redis')).equal(1);
    await output('busy-1');
    await output('busy-2');
    await a.nodeRed.start();
    shouldBeStoredOnce('busy-1', 'busy-2', 'in-redis');
  });

  it('waits for a Redis that is silent a second at most, and is done from the disk', async () => {
    relay.silence();
    const begun = performance.now();
    should(await announce(a, 'silent')).equal(200);
    // A second for the identity, one for the job, and what the rest takes on a busy machine.
    should(performance.now() - begun).be.below(4000);
    const quick = performance.now();
    should(await announce(a, 'silent-too')).equal(200);
    should(performance.now() - quick).be.below(1000);
    await a.nodeRed.kill();
    relay.mend();
    holds = false;
    await a.nodeRed.start();
    for (const id of ['silent', 'silent-too']) await output(id);
    shouldBeStoredOnce('silent', 'silent-too');
  });

  it('is refused, and not kept, where the disk does not last and Redis is away', async () => {
    const from = a.nodeRed.log.length;
    await a.nodeRed.deploy(flowOfA({ whenAway: 'refuse' }));
    await isConnected(a, from);
    holds = false;
    should(await announce(a, 'taken')).equal(200);
    await output('taken');
    const away = a.nodeRed.log.length;
    relay.cut();
    await a.nodeRed.waitForLog(/QUEUE_AWAY/, { from: away });
    should(await announce(a, 'refused')).equal(503);
    relay.mend();
    await until('Redis', async () => (await announce(a, 'refused')) === 200);
    await output('refused');
    const again = a.nodeRed.log.length;
    await a.nodeRed.deploy(flowOfA());
    await isConnected(a, again);
    should(outputs(a, 'refused') + outputs(b, 'refused')).equal(1);
  });

  it('goes to the other instance within a second when a flow is deployed', async () => {
    should(await announce(a, 'deployed-1')).equal(200);
    should(await announce(a, 'deployed-2')).equal(200);
    await until('both at work', () => held.size === 2);
    // That of the other instance ends, so that it has room.
    const isAtA = (): boolean => outputs(b, 'deployed-1') === 0;
    release('deployed-1');
    await output('deployed-1');
    const [mover, other] = isAtA() ? [b, a] : [a, b];
    const stopped = mover.nodeRed.waitForLog(/Stopping flows/, { from: mover.nodeRed.log.length });
    const deployed = mover.nodeRed.deploy(mover === a ? flowOfA() : flowOfB());
    await stopped;
    const begun = performance.now();
    await asked('deployed-2', 2);
    const took = performance.now() - begun;
    release();
    await deployed;
    await output('deployed-2');
    should(outputs(other, 'deployed-2')).equal(1);
    should(took).be.below(1000);
    shouldBeStoredOnce('deployed-2');
  });

  it('is lent again when Redis is emptied, and no file is stored twice', async () => {
    const ids = ['flushed-1', 'flushed-2', 'flushed-3', 'flushed-4'];
    for (const id of ids) should(await announce(a, id)).equal(200);
    await until('both at work', () => held.size === 2);
    await redis.flush();
    should(await inRedis()).eql([]);
    await until('the waiting ones in Redis', async () => (await inRedis()).length === ids.length);
    holds = false;
    release();
    for (const id of ids) await output(id);
    shouldBeStoredOnce(...ids);
    // What each of them had stored before is still known to both.
    for (const [at, one] of [a, b].entries()) {
      should(await announce(one, 'taken', `again-${at}`)).equal(200);
      await until('it again', () => outputs(a, 'taken') + outputs(b, 'taken') === 2 + at);
    }
    should(media.requests.filter((url) => url.startsWith('/taken.')).length).equal(1);
  });

  it('is left alone by an instance that has not its node', async () => {
    await b.nodeRed.deploy(flowOfB({ archive: 'other' }));
    for (const id of ['mine-1', 'mine-2']) should(await announce(a, id)).equal(200);
    await asked('mine-1');
    // It has room and works, but not on those of the other node.
    should(await announce(b, 'theirs')).equal(200);
    await asked('theirs');
    release('theirs');
    await output('theirs');
    should([...held.keys()]).eql(['mine-1']);
    holds = false;
    release();
    await output('mine-2');
    should([outputs(a, 'mine-1'), outputs(a, 'mine-2'), outputs(b, 'theirs')]).eql([1, 1, 1]);
  });

  it('is stored once when an instance is cut off in the middle of it, and both download it', async () => {
    should(await announce(a, 'cut')).equal(200);
    await asked('cut');
    const from = b.nodeRed.log.length;
    await b.nodeRed.deploy(flowOfB());
    await isConnected(b, from);
    relay.cut();
    // The other one takes it over when its lock has ended.
    await asked('cut', 2);
    release();
    await output('cut');
    const mended = a.nodeRed.log.length;
    relay.mend();
    await isConnected(a, mended);
    await until('the end at its origin', async () => (await inRedis()).length === 0);
    should([outputs(a, 'cut'), outputs(b, 'cut')]).eql([0, 1]);
    shouldBeStoredOnce('cut');
  });

  it('waits untouched for an instance with its version; a later version does those of the one before', async () => {
    await b.nodeRed.stop({ keep: true });
    const file = path.join(b.nodeRed.userDir, JOB_FORMAT);
    const text = readFileSync(file, 'utf8');
    should(text).containEql('exports.FORMAT_VERSION = 1;');
    // The files of all Node-REDs of the tests are one: this one gets its own.
    rmSync(file);
    writeFileSync(file, text.replace('exports.FORMAT_VERSION = 1;', 'exports.FORMAT_VERSION = 2;'));
    const from = b.nodeRed.log.length;
    await b.nodeRed.start();
    await isConnected(b, from);

    // The later version does what the one before has accepted.
    for (const id of ['before-1', 'before-2']) should(await announce(a, id)).equal(200);
    await until('both at work', () => held.size === 2);
    release();
    await output('before-1');
    await output('before-2');
    should([outputs(b, 'before-1') + outputs(b, 'before-2')]).eql([1]);

    // The earlier one leaves alone what the later one has accepted.
    const told = a.nodeRed.log.length;
    const later = ['later-1', 'later-2', 'later-3', 'later-4'];
    for (const id of later) should(await announce(b, id)).equal(200);
    await a.nodeRed.waitForLog(/Jobs in Redis are from another version/, { from: told });
    const delayed = await until('those that wait', async () => {
      const all = await inDelay();
      return all.length + held.size === later.length ? all : undefined;
    });
    should(delayed.length).be.aboveOrEqual(3);
    for (const { id, dueInMs } of delayed) {
      should(dueInMs).be.within(30_000, 60_000);
      should(await redis.say(`HGET {telnyx}:archive:${id} data`)).match(/\{"v":2,/);
    }
    holds = false;
    release();
    const outputsOf = (of: WebhookInstance): number[] => later.map((id) => outputs(of, id));
    await until(
      'all of them',
      async () => {
        // The minute is over.
        for (const { id } of await inDelay()) await redis.say(`ZADD {telnyx}:archive:delayed XX 1 ${id}`);
        return outputsOf(b).every((count) => count === 1);
      },
      { deadline: 60_000 }
    );
    should(outputsOf(a)).eql([0, 0, 0, 0]);
  });
});
