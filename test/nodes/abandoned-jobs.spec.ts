import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { tidyAbandoned } from '../../nodes/config/queue/abandoned-jobs';
import type { QueueSettings } from '../../nodes/config/queue/queue-settings';
import { SharedQueue } from '../../nodes/config/queue/shared-queue';
import { jobsOfQueue } from '../../nodes/download/queue-jobs';
import { archiveState } from '../../nodes/lib/archive-state';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import { ownedState } from '../../nodes/lib/state';
import { RedisServer } from '../support/redis-server';
import { until } from '../support/until';
import { jobFor } from '../unit/archive/state-fixture';

const HOUR_MS = 60 * 60 * 1000;

describe('what a Node-RED has lent for a download node that it no longer has', () => {
  let redis: RedisServer;
  let queues: SharedQueue[];
  let userDir: string;
  let RED: NodeRedApi;

  beforeEach(async function () {
    queues = [];
    userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-abandoned-'));
    RED = { settings: { userDir } } as unknown as NodeRedApi;
    redis = await RedisServer.start(this);
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await redis.close();
    await ownedState(RED).close();
    rmSync(userDir, { recursive: true });
  });

  async function open(id: string): Promise<SharedQueue> {
    const settings = { url: redis.url, prefix: 'telnyx', whenAway: 'hold', encryptionKey: null };
    const queue = new SharedQueue(settings as unknown as QueueSettings, id.repeat(32));
    queues.push(queue);
    should(await queue.connection.ready(10_000)).be.true();
    return queue;
  }

  const waiting = async (): Promise<string> => (await redis.say('LLEN {telnyx}:node:wait')).trim();

  /** A download node is there, accepts a job, and is deleted. */
  async function lend(queue: SharedQueue, goneFor: number): Promise<void> {
    const { database, jobs: repository, facts } = archiveState(RED);
    const done = (): Promise<never> => Promise.reject(new Error('nothing runs here'));
    const jobs = jobsOfQueue(
      queue,
      { node: 'node', place: '/archive', concurrency: 1, followUpsAtOnce: 1 },
      {
        ...{ database, repository, facts, work: done, giveUp: done },
        commit: () => Promise.resolve(),
        onFinished: () => undefined,
        onWaiting: () => undefined,
        onFault: () => undefined
      }
    );
    await jobs.add({}, [jobFor('a')], () => undefined);
    await until('the job in Redis', async () => (await waiting()) === ':1');
    await jobs.close();
    await database.collection<number>('archive-nodes-gone').put('node', Date.now() - goneFor);
  }

  it('is taken back when no other one has the node', async () => {
    const queue = await open('a');
    await lend(queue, 2 * HOUR_MS);
    await tidyAbandoned(RED, () => queue);
    should(await waiting()).equal(':0');
    should(archiveState(RED).jobs.count('node')).equal(1);
  });

  it('stays in Redis while another one says that it has the node', async () => {
    const [queue, other] = [await open('a'), await open('b')];
    other.reportNode('node', () => ({ settings: {}, running: 0, waiting: 0, probe: '' }));
    // The first one may have begun before.
    for (let beat = 0; beat < 2; beat += 1) await other.cluster.beat();
    await lend(queue, 2 * HOUR_MS);
    await tidyAbandoned(RED, () => queue);
    should(await waiting()).equal(':1');
  });

  it('is no reason to connect where there is nothing, or the node is here', async () => {
    const refuse = (): SharedQueue => {
      throw new Error('nobody asked for it');
    };
    await tidyAbandoned(RED, refuse);
    await lend(await open('a'), 2 * HOUR_MS);
    const { nodes } = archiveState(RED);
    nodes.set('node', {} as never);
    await tidyAbandoned(RED, refuse);
    nodes.clear();
    await tidyAbandoned(RED, refuse).should.be.rejectedWith(/nobody asked/);
  });
});
