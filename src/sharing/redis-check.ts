import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { gradualRequire } from '../concurrency/gradual-require';
import type { Notice } from '../errors/notice';
import { readRedisAddress, type RedisAddress, type RedisSettings } from './redis-address';

/** One line of what a test of the connection found. */
export interface RedisFinding {
  check: 'redis';
  /** `failed`: it cannot work like this. `warning`: it can, but the user should know. */
  result: 'ok' | 'warning' | 'failed';
  said: readonly Notice[];
}

export interface CheckedRedis {
  redis: RedisSettings;
  /** Whether the jobs themselves are encrypted. */
  isSealed: boolean;
  /** Milliseconds that each step may take. */
  stepMs?: number;
}

/** A person waits for it. */
const STEP_MS = 5000;
/** Redis 6.2 is what BullMQ needs; Valkey begins with 7.2. */
const OLDEST = [6, 2] as const;

/**
 * Tries a Redis as the queue will use it: connects, looks at its version and settings, writes an entry and removes it.
 * What is said holds no password.
 *
 * @throws CodedError `BAD_SETTING`
 */
export async function checkRedis(checked: CheckedRedis): Promise<RedisFinding[]> {
  const address = readRedisAddress(checked.redis);
  const { host, port, db, username, password, tls } = address;
  const { Redis: Client } = (await gradualRequire('ioredis')) as typeof import('ioredis');
  const { stepMs = STEP_MS } = checked;
  const redis = new Client({
    ...{ host, port, db },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: { servername: host } }),
    lazyConnect: true,
    connectTimeout: stepMs,
    commandTimeout: stepMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false
  });
  // The promise of `connect` says less than this event.
  let fault: unknown;
  redis.on('error', (error) => {
    fault = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    // A database that does not exist fails beside the connection.
    if (fault !== undefined) return [finding('failed', faultOf(fault, address))];
    return [
      ...settingsOf(await infoOf(redis)),
      ...(await writing(redis, address)),
      ...secrecy(address, checked.isSealed)
    ];
  } catch (error) {
    return [finding('failed', faultOf(fault ?? error, address))];
  } finally {
    redis.disconnect();
  }
}

function finding(result: RedisFinding['result'], ...said: Notice[]): RedisFinding {
  return { check: 'redis', result, said };
}

/** What Redis tells of itself: name → value. Empty when the user may not ask. */
async function infoOf(redis: Redis): Promise<Map<string, string>> {
  try {
    const text = await redis.info();
    return new Map(
      text.split('\r\n').map((line): [string, string] => {
        const at = line.indexOf(':');
        return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
      })
    );
  } catch (error) {
    if (replyCode(error) === 'NOPERM') return new Map();
    throw error;
  }
}

function settingsOf(info: ReadonlyMap<string, string>): RedisFinding[] {
  const valkey = numbersOf(info.get('valkey_version'));
  const version = valkey.length > 0 ? valkey : numbersOf(info.get('redis_version'));
  const server = [valkey.length > 0 ? 'Valkey' : 'Redis', version.join('.')].join(' ').trim();
  if (version.length > 0 && isOlder(version)) {
    return [finding('failed', { notice: 'redis-too-old', values: { server } })];
  }
  const findings = [finding('ok', { notice: 'redis-answers', values: { server } })];
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  // What was dropped is missing without a trace.
  if (policy !== 'noeviction' && /^[a-z-]{1,40}$/.test(policy)) {
    findings.push(finding('warning', { notice: 'redis-evicts', values: { policy } }));
  }
  const appends = info.get('aof_enabled');
  if (appends === '1') findings.push(finding('ok', { notice: 'redis-keeps' }));
  if (appends === '0') findings.push(finding('warning', { notice: 'redis-forgets' }));
  return findings;
}

function numbersOf(version = ''): number[] {
  return /^\d{1,4}(?:\.\d{1,4}){1,3}$/.test(version) ? version.split('.').map(Number) : [];
}

function isOlder([major = 0, minor = 0]: readonly number[]): boolean {
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Also runs a script, as the queue does. */
async function writing(redis: Redis, { prefix }: RedisAddress): Promise<RedisFinding[]> {
  const key = `${prefix}:check:${randomUUID()}`;
  try {
    await redis.set(key, '1', 'PX', 60_000);
    const read = await redis.eval("return redis.call('get', KEYS[1])", 1, key);
    await redis.del(key);
    if (read === '1') return [finding('ok', { notice: 'redis-writes' })];
    return [finding('failed', { notice: 'redis-refuses', values: { code: 'GET' } })];
  } catch (error) {
    const code = replyCode(error);
    if (code === null) throw error;
    return [finding('failed', { notice: 'redis-refuses', values: { code } })];
  }
}

function secrecy({ host, tls }: RedisAddress, isSealed: boolean): RedisFinding[] {
  const isHere = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/.test(host);
  return isSealed || isHere || tls ? [] : [finding('warning', { notice: 'redis-clear-text' })];
}

/** The first word of what Redis replies to a command that fails; null for every other error. */
function replyCode(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  return /^[A-Z]{2,20}(?= |$)/.exec(error.message)?.[0] ?? 'ERR';
}

const UNREACHABLE = /^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/;

function faultOf(error: unknown, { host, port, tls }: RedisAddress): Notice {
  const place = `${host}:${port}`;
  const reply = replyCode(error);
  if (reply === 'NOAUTH') return { notice: 'redis-wants-password' };
  if (reply === 'WRONGPASS') return { notice: 'redis-wrong-password' };
  if (reply !== null) return { notice: 'redis-refuses', values: { code: reply } };
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { notice: 'redis-no-host', values: { host } };
  if (code === 'ECONNREFUSED') return { notice: 'redis-nothing-there', values: { place } };
  if (UNREACHABLE.test(code)) return { notice: 'redis-silent', values: { place } };
  if (tls) {
    return {
      notice: 'redis-bad-tls',
      values: { place, code: /^[A-Z][A-Z_\d]{2,60}$/.test(code) ? code : 'TLS' }
    };
  }
  if (code === 'ETIMEDOUT' || isTimeout(error)) return { notice: 'redis-silent', values: { place } };
  return { notice: 'redis-not-redis', values: { place } };
}

/** With several addresses of one name, the first failure counts. */
function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (typeof first !== 'object' || first === null || !('code' in first)) return '';
  return typeof first.code === 'string' ? first.code : '';
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}
