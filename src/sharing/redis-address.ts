import { CodedError } from '../errors/coded-error';
import { parseUrl } from '../values/fields';

/** The settings of a queue node, with variables resolved. */
export interface RedisSettings {
  /** `redis://host:port/database`, or `rediss://` for TLS; a user name and a password may be in it. */
  url: string;
  /** Wins over the one in the address. Blank: none. */
  password?: string | undefined;
  /** What all keys begin with: instances with the same prefix share their work. */
  prefix: string;
}

/** Where Redis is. Holds the password: never log it as a whole. */
export interface RedisAddress {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls: boolean;
  /** For people, without user name and password. */
  shown: string;
  /** As in keys: in a Redis Cluster, one server has all keys with the same text in braces. */
  prefix: string;
}

const PORT = 6379;
/** What is no glob pattern, no brace and no separator of BullMQ's keys. */
const PREFIX = /^[\w.-]{1,64}$/;
const DATABASE = /^\/\d{1,4}$/;

/** @throws CodedError `BAD_SETTING`, which names the setting and repeats nothing of it */
export function readRedisAddress({ url, password, prefix }: RedisSettings): RedisAddress {
  if (!PREFIX.test(prefix))
    throw bad('"Prefix" of the queue must be 1 to 64 letters, digits, dots, hyphens or underscores.');
  const parsed = parseUrl(url.trim());
  const isTls = parsed?.protocol === 'rediss:';
  if (parsed === null || (!isTls && parsed.protocol !== 'redis:') || parsed.hostname === '')
    throw bad(
      'The URL of the queue must be redis://host:6379 or, with TLS, rediss://host:6379. It can name neither Sentinels nor a cluster.'
    );
  const { hostname, pathname } = parsed;
  if (parsed.search !== '' || parsed.hash !== '')
    throw bad(
      'The URL of the queue must end after the number of the database: parameters are not supported.'
    );
  const hasDatabase = pathname !== '' && pathname !== '/';
  if (hasDatabase && !DATABASE.test(pathname))
    throw bad(
      'After the port, the URL of the queue may only have the number of a database, as in redis://host:6379/2.'
    );
  const username = decoded(parsed.username);
  const secret = password === undefined || password === '' ? decoded(parsed.password) : password;
  // As `URL` spells IPv6.
  const host = hostname.replace(/^\[|\]$/g, '');
  const port = parsed.port === '' ? PORT : Number(parsed.port);
  const db = hasDatabase ? Number(pathname.slice(1)) : 0;
  return {
    ...{ host, port, db, tls: isTls, prefix: `{${prefix}}` },
    ...(username !== '' && { username }),
    ...(secret !== '' && { password: secret }),
    shown: `${parsed.protocol}//${hostname}:${port}${db === 0 ? '' : `/${db}`}`
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad(
      'In the URL of the queue, user name or password has a % that is not followed by two hexadecimal digits: write %25.'
    );
  }
}

function bad(message: string): CodedError {
  return new CodedError('BAD_SETTING', message);
}
