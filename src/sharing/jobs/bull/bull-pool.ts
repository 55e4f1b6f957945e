import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { gradualRequire } from '../../../concurrency/gradual-require';
import type { RedisConnection } from '../../redis-connection';
import type { JobPool, JobToLend, PooledJob } from '../lending/job-pool';
import type { JobFormat, LentJob } from '../wire/job-format';

export type Bull = typeof import('bullmq');

let loading: Promise<Bull> | undefined;

/** Loads BullMQ, once, for those who use it only. */
export function loadBull(): Promise<Bull> {
  loading ??= gradualRequire('bullmq').then(
    (bull) => bull as Bull,
    (error: unknown) => {
      loading = undefined;
      throw error;
    }
  );
  return loading;
}

/** Why a job failed that nobody could read. */
export const DAMAGED = 'damaged';

/** How long an end waits for its origin, in seconds: as long as the jobs of a node that is gone. */
const KEPT_S = 7 * 24 * 60 * 60;
/** Commands that Redis carries out in one go. */
const STEP = 100;
/** Ids that are told and not fetched yet. An origin that misses some finds them when it looks after its jobs. */
const MOST_TOLD = 20_000;
const FETCHED = 500;
/** BullMQ sorts delayed jobs by milliseconds and the order in which they came. */
const SCORES_PER_MS = 0x1000;
/** Entries of a log that nobody here reads. */
const EVENTS_KEPT = 100;
const FOLLOW_UPS = '.follow-ups';

/** The name of a queue in Redis. @param node id of a download node; an id that was edited by hand may hold colons */
export function queueName(node: string, isForFollowUps: boolean): string {
  return encodeURIComponent(node) + (isForFollowUps ? FOLLOW_UPS : '');
}

export interface BullPoolOptions {
  /** As `queueName`. */
  name: string;
  /** As `loadBull`. */
  bull: () => Promise<Bull>;
  connection: RedisConnection;
  format: JobFormat;
}

/** How many jobs there are in Redis, from all instances. */
export interface PoolCounts {
  due: number;
  delayed: number;
}

/** The jobs of one list in Redis: a queue of BullMQ. A job that has ended stays until its origin has seen it. */
export class BullPool implements JobPool {
  readonly #options: BullPoolOptions;
  #queue: Queue | undefined;

  constructor(options: BullPoolOptions) {
    this.#options = options;
  }

  async add(jobs: readonly JobToLend[]): Promise<void> {
    const keep = { age: KEPT_S };
    for (let at = 0; at < jobs.length; at += STEP) {
      const step = jobs.slice(at, at + STEP).map(({ lent, delayMs }) => ({
        name: 'job',
        data: this.#options.format.write(lent),
        opts: { jobId: lent.job.id, delay: delayMs, removeOnComplete: keep, removeOnFail: keep }
      }));
      await this.#do((queue) => queue.addBulk(step));
    }
  }

  async look(ids: readonly string[]): Promise<PooledJob[]> {
    const found: PooledJob[] = [];
    for (let at = 0; at < ids.length; at += STEP) found.push(...(await this.#look(ids.slice(at, at + STEP))));
    return found;
  }

  async remove(ids: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (let at = 0; at < ids.length; at += STEP)
      await this.#do((queue) =>
        Promise.all(
          ids.slice(at, at + STEP).map(async (id) => {
            if ((await queue.remove(id)) === 1) gone.push(id);
          })
        )
      );
    return gone;
  }

  /** Tells the origin of a job that it has ended. May be lost. */
  async tell(origin: string, id: string): Promise<void> {
    await this.#do(async (queue, client) => {
      const key = queue.toKey(`told:${origin}`);
      await client.multi().rpush(key, id).ltrim(key, -MOST_TOLD, -1).expire(key, KEPT_S).exec();
    });
  }

  /** The ids that were told an origin, each once. */
  async told(origin: string): Promise<string[]> {
    return await this.#do(
      async (queue, client) => (await client.lpop(queue.toKey(`told:${origin}`), FETCHED)) ?? []
    );
  }

  async counts(): Promise<PoolCounts> {
    return await this.#do(async (queue) => {
      const counts = await queue.getJobCounts('wait', 'active', 'prioritized', 'delayed');
      const { delayed = 0, ...others } = counts;
      return { due: Object.values(others).reduce((sum, count) => sum + count, 0), delayed };
    });
  }

  /** Those that wait for their time, the first one at the beginning, and when that is by the clock of this machine. */
  async delayed(most: number): Promise<{ lent: LentJob; dueAt: number }[]> {
    return await this.#do(async (queue, client) => {
      const entries = await client.zrange(queue.toKey('delayed'), '0', String(most - 1), 'WITHSCORES');
      const places = entries.flatMap((id, at) =>
        at % 2 === 0 ? [{ id, dueAt: Math.floor(Number(entries[at + 1]) / SCORES_PER_MS) }] : []
      );
      const data = await Promise.all(places.map(({ id }) => client.hget(queue.toKey(id), 'data')));
      return places.flatMap(({ id, dueAt }, at) => {
        const lent = this.#read(parsed(data[at]), id);
        return lent === null ? [] : [{ lent, dueAt }];
      });
    });
  }

  /** Ends what it listens to. The connection goes on. */
  async close(): Promise<void> {
    await this.#queue?.close().catch(() => undefined);
  }

  async #look(ids: readonly string[]): Promise<PooledJob[]> {
    return await this.#do(async (queue, client) => {
      const pipeline = client.pipeline();
      for (const id of ids)
        pipeline.hmget(queue.toKey(id), 'timestamp', 'finishedOn', 'returnvalue', 'failedReason');
      const answers = (await pipeline.exec()) ?? [];
      return await Promise.all(
        ids.map(async (id, at): Promise<PooledJob> => {
          const [error, fields] = answers[at] ?? [new Error('no answer'), null];
          if (error !== null) throw error;
          const [timestamp, finishedOn, returned, failed] = fields as (string | null)[];
          if (timestamp == null) return { kind: 'missing' };
          if (finishedOn == null) return { kind: 'open' };
          if (failed != null) return { kind: 'failed', isDamaged: failed === DAMAGED };
          const { format, name } = this.#options;
          const ending = format.readEnding(parsed(returned), { id, list: name });
          // Somebody says so who has not the key.
          if (ending === null) return { kind: 'failed', isDamaged: true };
          if (ending.kind === 'done') return { kind: 'ended', ending, follow: null };
          const data = parsed(await client.hget(queue.toKey(id), 'data'));
          return { kind: 'ended', ending, follow: this.#read(data, id) };
        })
      );
    });
  }

  #read(data: unknown, id: string): LentJob | null {
    const read = this.#options.format.read(data, id);
    return read.kind === 'job' ? read.lent : null;
  }

  async #do<Result>(work: (queue: Queue, client: Redis) => Promise<Result>): Promise<Result> {
    const { connection, bull, name } = this.#options;
    const { Queue } = await bull();
    return await connection.command(async (client) => {
      this.#queue ??= this.#opened(
        new Queue(name, {
          connection: client,
          prefix: connection.address.prefix,
          skipVersionCheck: true,
          streams: { events: { maxLen: EVENTS_KEPT } }
        })
      );
      return await work(this.#queue, client);
    });
  }

  #opened(queue: Queue): Queue {
    // What fails is told by what was called.
    queue.on('error', () => undefined);
    return queue;
  }
}

/** @returns undefined for what is no JSON */
function parsed(text: string | null | undefined): unknown {
  try {
    return text == null ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
