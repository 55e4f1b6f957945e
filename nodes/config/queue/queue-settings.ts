import { CodedError } from '../../../src/errors/coded-error';
import { readRedisAddress, type RedisSettings } from '../../../src/sharing/redis-address';
import type { NodeConfig, RedNode } from '../../lib/node-red';
import { readChoice, readText } from '../../lib/read-setting';
import { AWAY, DEFAULT_PREFIX, isEncryptionKey } from './queue-fields';

/** The properties of a `telnyx-queue` node, as saved in a flow. */
export interface QueueConfig extends NodeConfig {
  url?: string;
  prefix?: string;
  whenAway?: string;
}

/** How several Node-REDs share their work. */
export interface QueueSettings extends RedisSettings {
  whenAway: 'hold' | 'refuse';
  /** 32 bytes; null: jobs are not encrypted. */
  encryptionKey: Buffer | null;
}

/** As Node-RED leaves the variable that a blank field means, when it is not set: the field counts as blank, too. */
const UNSET = '${REDIS_URL}';

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readQueue(
  config: Pick<QueueConfig, 'url' | 'prefix' | 'whenAway'>,
  credentials: RedNode['credentials'],
  environment: Readonly<Record<string, string | undefined>> = process.env
): QueueSettings {
  const written = readText(config.url);
  const given = written === UNSET ? '' : written;
  const url = given === '' ? readText(environment['REDIS_URL']) : given;
  if (url === '') {
    throw new CodedError(
      'BAD_SETTING',
      'The queue has no address. Enter that of a Redis or Valkey in "URL", such as redis://redis.example.com:6379, or ' +
        'set the environment variable REDIS_URL.'
    );
  }
  const key = readText(credentials?.['encryptionKey']);
  if (key !== '' && !isEncryptionKey(key)) {
    throw new CodedError(
      'BAD_SETTING',
      '"Encryption" of the queue must be a key of 32 bytes in base64, which are 44 characters. Make one with the button in ' +
        'its dialog, and enter the same in every Node-RED that shares the work.'
    );
  }
  const redis: RedisSettings = {
    url,
    password: readText(credentials?.['password']),
    prefix: readText(config.prefix, DEFAULT_PREFIX)
  };
  readRedisAddress(redis);
  return {
    ...redis,
    whenAway: readChoice(config.whenAway, 'Redis away', AWAY),
    encryptionKey: key === '' ? null : Buffer.from(key, 'base64')
  };
}
