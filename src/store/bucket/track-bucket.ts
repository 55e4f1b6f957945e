import type { BucketConnection } from './client/connection';
import { bucketLink } from './presigned-url';

/** Links to objects that somebody else put into a bucket, such as the raw tracks of Daily. */
export class TrackBucket {
  readonly #connection: BucketConnection;
  readonly #now: () => number;

  constructor(connection: BucketConnection, now: () => number = Date.now) {
    this.#connection = connection;
    this.#now = now;
  }

  /**
   * @param key of an object, complete: the prefix of the bucket's settings is not put before it
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
      throw this.#connection.fault('make a link to a track', error);
    }
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.#connection.end();
  }
}
