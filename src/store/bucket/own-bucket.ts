import { createHash, createHmac } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import type { ProxyChoice } from '../../http/proxy/proxy-choice';
import { withoutTrailingSlashes } from '../../text/edges';
import { type BucketAddress, keyInBucket } from './bucket-address';
import type { BucketConnection } from './client/connection';

/**
 * Links to objects that a provider put into the customer's own bucket: the raw tracks of Daily, recordings in custom
 * storage of Telnyx.
 */
export class OwnBucket {
  readonly #connection: BucketConnection;
  readonly #now: () => number;

  constructor(connection: BucketConnection, now: () => number = Date.now) {
    this.#connection = connection;
    this.#now = now;
  }

  /**
   * @param key the complete key of an object: the prefix of the bucket's settings is not added
   * @returns a signed link that works for an hour
   * @throws CodedError `STORE_FAILED` when there are no credentials or no region
   */
  async link(key: string): Promise<string> {
    try {
      return await this.#connection.send(async ({ client }) => {
        const [credentials, region] = await Promise.all([
          client.config.credentials(),
          client.config.region()
        ]);
        return bucketLink(this.#connection.settings, { ...credentials, region }, key, this.#now());
      });
    } catch (error) {
      throw this.#connection.fault('make a link to an object', error);
    }
  }

  /** Which proxy leads to the bucket; null: none. */
  get proxy(): ProxyChoice | null {
    return this.#connection.settings.proxy ?? null;
  }

  /** Whether an address by http or https leads to an object of the bucket, however a server reads the address. */
  holds(address: string): boolean {
    if (!/^https?:/i.test(address)) return false;
    const key = keyInBucket(this.#connection.settings, address);
    return key !== null && !leavesBucket(key);
  }

  /**
   * @param address from outside, as `keyInBucket` reads it
   * @returns as `link`; null when the address leads elsewhere
   * @throws CodedError as `link`; `UNSAFE_URL` for a key that an address would change: clients drop `.` and `..`
   */
  async signed(address: string): Promise<string | null> {
    const key = keyInBucket(this.#connection.settings, address);
    if (key === null) return null;
    if (leavesBucket(key) || !key.isWellFormed())
      throw new CodedError(
        'UNSAFE_URL',
        'The event names an object of your bucket by a key with "." or ".." for a folder, or with half a character. ' +
          'No address leads to it; fetch it with another program.'
      );
    return await this.link(key);
  }

  /** Closes the connections. */
  close(): Promise<void> {
    return this.#connection.end();
  }
}

/** Whether a key can lead out of the bucket where a server or a proxy decodes `..%2F` before it looks at the path. */
function leavesBucket(key: string): boolean {
  return /(^|[\\/])\.\.?([\\/]|$)/.test(key);
}

/** Who asks, according to the settings or the AWS SDK's default chain. */
export interface BucketIdentity {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  region: string;
}

/** Seconds. Long enough for the first byte of a slow transfer; a later one asks for a fresh link. */
const LIFETIME = 3600;

/**
 * A signed link to read one object: Signature Version 4 in the query ("Authenticating Requests: Using
 * Query Parameters", Amazon S3 API reference). Other transfers fetch files by links too, so a track is
 * resumed and checked like any other file.
 *
 * @param key complete; the prefix of the settings is for what is stored, not for what is read
 * @param now milliseconds since 1970
 */
export function bucketLink(
  settings: BucketAddress,
  identity: BucketIdentity,
  key: string,
  now: number
): string {
  const { origin, host, path } = addressOf(settings, identity.region, key);
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/${identity.region}/s3/aws4_request`;
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${identity.accessKeyId}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(LIFETIME),
    ...(identity.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': identity.sessionToken }),
    'X-Amz-SignedHeaders': 'host'
  })
    .map(([name, value]) => `${name}=${escaped(value)}`)
    .join('&');
  const request = ['GET', path, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n');
  const signingKey = [...scope.split('/')].reduce<Buffer | string>(
    (secret, part) => hmac(secret, part),
    `AWS4${identity.secretAccessKey}`
  );
  return `${origin}${path}?${query}&X-Amz-Signature=${hmac(signingKey, text).toString('hex')}`;
}

function addressOf(
  { endpoint, bucket, forcePathStyle }: BucketAddress,
  region: string,
  key: string
): { origin: string; host: string; path: string } {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const base = new URL(endpoint ?? `https://s3.${region}.${suffix}`);
  // A certificate covers one label only, and an IP address has no subdomains.
  const byPath = forcePathStyle || bucket.includes('.') || /^[\d.]+$|^\[/.test(base.hostname);
  const host = byPath ? base.host : `${bucket}.${base.host}`;
  const parts = byPath ? [bucket, ...key.split('/')] : key.split('/');
  const path = `${withoutTrailingSlashes(base.pathname)}/${parts.map(escaped).join('/')}`;
  return { origin: `${base.protocol}//${host}`, host, path };
}

/** RFC 3986: what `encodeURIComponent` leaves alone, S3 wants escaped too. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
