import { randomUUID } from 'node:crypto';
import { monotonicNow } from '../clock/clocks';
import { type LeaseRun, type Leases, LocalLeases } from '../concurrency/leases';
import { shownText } from '../text/shown-text';
import type { RedisConnection } from './redis-connection';

/** One of the Node-REDs that share their work. */
export interface Instance {
  /** The same after a restart, and no other one has it. */
  id: string;
  /** Name of its machine, for people. */
  host: string;
}

export interface SharedLeasesOptions {
  /** Milliseconds after work in which only the same instance may do it again. Default 60 s. */
  restMs?: number;
  /** Milliseconds after which an instance that cannot reach Redis works alone. Default 60 s. */
  aloneMs?: number;
  /** Default: the monotonic clock, in milliseconds. */
  now?: () => number;
}

/**
 * Takes a lease that is free, or was its own: what an instance holds without knowing is that of an earlier process, which is
 * gone, because two processes never have the state of one instance. Returns the host of the holder, or nothing. One without an
 * end is none of ours, and gets one.
 */
const TAKE = `
local held = redis.call('hmget', KEYS[1], 'instance', 'host')
if held[1] and held[1] ~= ARGV[1] then
  if redis.call('pttl', KEYS[1]) == -1 then redis.call('pexpire', KEYS[1], ARGV[4]) end
  return held[2] or ''
end
redis.call('hset', KEYS[1], 'instance', ARGV[1], 'token', ARGV[2], 'host', ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[4])
return false`;

/** Holds a lease for longer. One that is gone is taken again: Redis was emptied, or its time ended and nobody took it. */
const RENEW = `
local token = redis.call('hget', KEYS[1], 'token')
if token and token ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], 'instance', ARGV[1], 'token', ARGV[2], 'host', ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[4])
return 1`;

/** Ends a lease; it then rests, or is free. */
const RELEASE = `
if redis.call('hget', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) == 0 then return redis.call('del', KEYS[1]) end
redis.call('hset', KEYS[1], 'token', '')
return redis.call('pexpire', KEYS[1], ARGV[2])`;

/** Renewed so often within its time that two answers may be lost. */
const RENEWALS = 4;
/** The part of its time after which a lease that could not be renewed counts as lost, so that work stops before it ends. */
const SURE = 0.8;

/**
 * The leases of all instances, in Redis. One that cannot be renewed is lost before its time ends. While Redis is away, no work
 * begins at first, and after a minute each instance works alone.
 */
export class SharedLeases implements Leases {
  readonly #connection: RedisConnection;
  readonly #instance: Instance;
  readonly #restMs: number;
  readonly #aloneMs: number;
  readonly #now: () => number;
  readonly #local = new LocalLeases();
  readonly #holders = new Map<string, string>();
  #awaySince: number;

  constructor(
    connection: RedisConnection,
    instance: Instance,
    { restMs = 60_000, aloneMs = 60_000, now = monotonicNow }: SharedLeasesOptions = {}
  ) {
    this.#connection = connection;
    this.#instance = instance;
    this.#restMs = restMs;
    this.#aloneMs = aloneMs;
    this.#now = now;
    this.#awaySince = now();
    connection.on('away', () => (this.#awaySince = this.#now()));
  }

  /** The host that had the lease when this instance was last refused it; null when it was not. */
  holder(name: string): string | null {
    return this.#holders.get(name) ?? null;
  }

  /** @throws also CodedError `QUEUE_AWAY`, when nobody can say whether the work is being done; it was not begun then */
  async run<Result>(
    name: string,
    ttlMs: number,
    work: (lost: AbortSignal) => Promise<Result>
  ): Promise<LeaseRun<Result>> {
    const run = await this.#local.run(name, ttlMs, async (never): Promise<LeaseRun<Result>> => {
      if (this.#connection.isAway && this.#now() - this.#awaySince >= this.#aloneMs)
        return { kind: 'done', result: await work(never) };
      return await this.#runShared(name, ttlMs, work);
    });
    return run.kind === 'taken' ? run : run.result;
  }

  async #runShared<Result>(
    name: string,
    ttlMs: number,
    work: (lost: AbortSignal) => Promise<Result>
  ): Promise<LeaseRun<Result>> {
    const [key, token] = [[this.#connection.key('lease', name)], randomUUID()];
    const values = [this.#instance.id, token, this.#instance.host, ttlMs];
    const since = this.#now();
    const holder = await this.#connection.script(TAKE, key, values);
    if (holder !== null) {
      this.#holders.set(name, typeof holder === 'string' ? shownText(holder) : '');
      return { kind: 'taken' };
    }
    this.#holders.delete(name);
    const renew = async (): Promise<boolean> => (await this.#connection.script(RENEW, key, values)) === 1;
    const held = new HeldLease({ renew, ttlMs, since, now: this.#now });
    try {
      return { kind: 'done', result: await work(held.lost) };
    } finally {
      held.end();
      // Where it cannot be released, its time ends.
      await this.#connection.script(RELEASE, key, [token, this.#restMs]).catch(() => undefined);
    }
  }
}

interface HeldLeaseOptions {
  /** @returns false when somebody else has it */
  renew: () => Promise<boolean>;
  ttlMs: number;
  /** When it was asked for. */
  since: number;
  now: () => number;
}

/** Renews a lease until it ends or is lost. */
class HeldLease {
  readonly #options: HeldLeaseOptions;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #sureUntil: number;
  #isAsking = false;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.#sureUntil = options.since + options.ttlMs * SURE;
    this.#timer = setInterval(() => this.#tick(), options.ttlMs / RENEWALS / 2).unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { renew, ttlMs, now } = this.#options;
    const asked = now();
    // A process that was stopped comes back here.
    if (asked >= this.#sureUntil) return this.#lose();
    const isDue = this.#sureUntil - asked <= ttlMs * (SURE - 1 / RENEWALS);
    if (this.#isAsking || !isDue) return;
    this.#isAsking = true;
    renew()
      .then(
        (isMine) => {
          if (isMine) this.#sureUntil = asked + ttlMs * SURE;
          else this.#lose();
        },
        // Another attempt follows, until it is no longer sure.
        () => undefined
      )
      .finally(() => (this.#isAsking = false));
  }

  #lose(): void {
    this.end();
    this.#lost.abort();
  }
}
