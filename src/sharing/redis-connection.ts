import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Redis, RedisOptions } from 'ioredis';
import { gradualRequire } from '../concurrency/gradual-require';
import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { type RedisAddress, readRedisAddress, type RedisSettings } from './redis-address';

/** What `new Redis` takes. */
export type ConnectOptions = Omit<RedisOptions, 'replyMapping'>;

export type IoRedis = typeof import('ioredis');

export interface RedisLimits {
  /** Milliseconds after which a command counts as failed and the connection as broken. */
  commandMs: number;
  /** Milliseconds between two looks whether Redis answers and still has its data. */
  checkMs: number;
  /** The longest pause before it connects again, in milliseconds. */
  reconnectMs: number;
}

export interface RedisConnectionOptions {
  /** Default: ioredis, loaded when the connection is started. */
  load?: (() => Promise<IoRedis>) | undefined;
  limits?: Partial<RedisLimits> | undefined;
}

interface RedisEvents {
  /** From now on, commands fail at once. */
  away: [reason: string];
  /** Redis answers, at first or again. `epoch` names its data: another one means that they are not those of before. */
  back: [epoch: string];
  /** While it answered, Redis lost its data. */
  emptied: [epoch: string];
}

const LIMITS: RedisLimits = { commandMs: 1000, checkMs: 5000, reconnectMs: 2000 };
const CONNECT_MS = 5000;
/** A connection that does not answer does not end by itself either. */
const END_MS = 200;
/** A worker waits up to ten seconds for its next job. */
const WORKER_SILENCE_MS = 30_000;
const FIRST_PAUSE_MS = 100;
/** Redis tells which of its features it has: BullMQ needs this version. */
const OLDEST: readonly [major: number, minor: number] = [6, 2];

/** Names the data of a Redis. Written once; gone with all other keys when somebody empties it. */
const EPOCH = `
local known = redis.call('get', KEYS[1])
if known then return known end
redis.call('set', KEYS[1], ARGV[1])
return ARGV[1]`;

/**
 * One connection to Redis, which comes back by itself. A command is answered within about a second or fails: nothing waits for
 * a Redis that is away, slow or half-open. Errors and texts hold no password; those of ioredis do, so none is passed on.
 */
export class RedisConnection {
  readonly address: RedisAddress;
  readonly #load: () => Promise<IoRedis>;
  readonly #limits: RedisLimits;
  readonly #events = new EventEmitter<RedisEvents>();
  #client: Redis | undefined;
  #isStarted = false;
  #epoch: string | undefined;
  #isAway = true;
  #isClosed = false;
  #reason = 'not connected yet';
  #checks: NodeJS.Timeout | undefined;

  /** @throws CodedError `BAD_SETTING`, which names the setting */
  constructor(settings: RedisSettings, { load = loadIoRedis, limits = {} }: RedisConnectionOptions = {}) {
    this.address = readRedisAddress(settings);
    this.#load = load;
    this.#limits = { ...LIMITS, ...limits };
    // Each part of each node listens.
    this.#events.setMaxListeners(0);
  }

  /** Connects in the background. Never throws: what is wrong is told as `away`. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#open().catch((error: unknown) => this.#goAway(shortened(error)));
  }

  /** Whether commands fail at once. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Why Redis is away, for people; an empty text when it is not. */
  get reason(): string {
    return this.#isAway ? this.#reason : '';
  }

  /** Names the data that Redis has; undefined until it first answered. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** @returns the function that stops listening. Listeners must not throw */
  on<Name extends keyof RedisEvents>(name: Name, listener: (...of: RedisEvents[Name]) => void): () => void {
    const listen = listener as (...of: unknown[]) => void;
    this.#events.on(name, listen as never);
    return () => this.#events.off(name, listen as never);
  }

  /**
   * Waits until Redis answers for the first time.
   *
   * @returns whether it did within that time
   */
  async ready(ms: number): Promise<boolean> {
    if (!this.#isAway || this.#isClosed) return !this.#isAway;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stop();
        resolve(!this.#isAway);
      };
      const timer = setTimeout(end, ms);
      const stop = this.on('back', end);
    });
  }

  /** The name of a key. @param parts of which only the last one may hold colons */
  key(...parts: readonly string[]): string {
    return [this.address.prefix, ...parts].join(':');
  }

  /**
   * Does something with Redis.
   *
   * @param work sends commands
   * @throws CodedError `QUEUE_AWAY` within about a second when Redis is away, does not answer or refuses; whether it has carried
   *   the command out is unknown then
   */
  async command<Result>(work: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = this.#client;
    if (this.#isAway || client === undefined) throw this.away();
    try {
      return await work(client);
    } catch (error) {
      throw this.#failed(error, client);
    }
  }

  /** Runs a script (Lua) in Redis, at once and as a whole. Throws as `command` does. */
  async script(
    script: string,
    keys: readonly string[],
    values: readonly (string | number | Buffer)[]
  ): Promise<unknown> {
    return await this.command((client) => client.eval(script, keys.length, ...keys, ...values));
  }

  /**
   * How BullMQ connects. A producer fails at once while Redis is away, a worker waits.
   *
   * The result holds the password.
   */
  options(role: 'producer' | 'worker'): ConnectOptions {
    const { host, port, db, username, password, tls } = this.address;
    const common = {
      ...{ host, port, db, connectTimeout: CONNECT_MS, disconnectTimeout: END_MS },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: {} }),
      retryStrategy: (times: number) =>
        Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times, 10), this.#limits.reconnectMs),
      // A replica that was the main server until a moment ago.
      reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
    };
    return role === 'worker'
      ? { ...common, maxRetriesPerRequest: null, socketTimeout: WORKER_SILENCE_MS }
      : {
          ...common,
          enableOfflineQueue: false,
          // A command whose answer was lost may have been carried out: who sent it decides.
          autoResendUnfulfilledCommands: false,
          maxRetriesPerRequest: 0,
          commandTimeout: this.#limits.commandMs
        };
  }

  /** The error of a command that was not sent. */
  away(reason = this.#reason): CodedError {
    const message = `Redis (${this.address.shown}) cannot be reached: ${reason}. It is tried again by itself.`;
    return new CodedError('QUEUE_AWAY', message, { retryable: true });
  }

  /** Ends the connection, whatever state it is in. Waits for nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#checks);
    this.#client?.disconnect();
    this.#goAway('the connection was closed');
    this.#events.removeAllListeners();
  }

  async #open(): Promise<void> {
    const { Redis } = await this.#load();
    if (this.#isClosed) return;
    const client = new Redis({ ...this.options('producer'), lazyConnect: true });
    this.#client = client;
    // Without a listener, ioredis writes errors to the console. They name the password where Redis refuses it.
    client.on('error', (error: unknown) => {
      if (this.#isAway && !this.#isClosed) this.#reason = shortened(error);
    });
    client.on('ready', () => void this.#check(client));
    client.on('close', () => this.#goAway(this.#isAway ? this.#reason : 'the connection ended'));
    this.#checks = setInterval(() => {
      if (client.status === 'ready') void this.#check(client);
    }, this.#limits.checkMs).unref();
    await client.connect().catch(() => undefined);
  }

  /** Asks which data Redis has. Never rejects. */
  async #check(client: Redis): Promise<void> {
    try {
      if (this.#isAway) await assertVersion(client);
      const epoch = String(await client.eval(EPOCH, 1, this.key('epoch'), randomUUID()));
      if (this.#isClosed || client.status !== 'ready') return;
      const isNew = this.#epoch !== epoch;
      this.#epoch = epoch;
      if (this.#isAway) {
        this.#isAway = false;
        this.#events.emit('back', epoch);
      } else if (isNew) this.#events.emit('emptied', epoch);
    } catch (error) {
      this.#failed(error, client);
      this.#goAway(shortened(error));
    }
  }

  /** Whatever ioredis throws, as an error without the arguments of the command, which may be a password. */
  #failed(error: unknown, client: Redis): CodedError {
    if (error instanceof CodedError) return error;
    const reason = shortened(error);
    // It may be half-open: only a new connection can tell.
    if (error instanceof Error && error.message === 'Command timed out' && client.status === 'ready') {
      this.#goAway('no answer in time');
      client.disconnect(true);
    }
    return this.away(reason);
  }

  #goAway(reason: string): void {
    this.#reason = reason;
    if (this.#isAway) return;
    this.#isAway = true;
    this.#events.emit('away', reason);
  }
}

async function loadIoRedis(): Promise<IoRedis> {
  return (await gradualRequire('ioredis')) as IoRedis;
}

/** @throws Error when Redis is too old; one that does not tell its version is taken as it is */
async function assertVersion(client: Redis): Promise<void> {
  const told = await client.info('server').catch((error: unknown) => {
    if (rootCause(error).startsWith('NOPERM')) return '';
    throw error;
  });
  const [, version = '', major = NaN, minor = NaN] =
    /^redis_version:((\d{1,9})\.(\d{1,9}))/m.exec(told) ?? [];
  const [wanted, least] = OLDEST;
  if (Number(major) < wanted || (Number(major) === wanted && Number(minor) < least))
    throw new Error(`it is Redis ${version}, and 6.2 or later is needed`);
}

/** The first words of an error: what follows may repeat a command. */
function shortened(error: unknown): string {
  const text = rootCause(error);
  const at = text.indexOf(', with args');
  return (at === -1 ? text : text.slice(0, at)).slice(0, 200);
}
