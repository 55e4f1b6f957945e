import { notAStore } from './client/capped-responses';
import type { BucketConnection } from './client/connection';
import { describeError } from './client/fault';
import { shownKey } from './object-key';

/** The maximum length of a version id at AWS, like that of a key. */
const LONGEST_ID = 1024;
/** Enough to see the versions around one that was just written. */
const PAGE = 50;

/** Of one key that is deleted; no archive writes so many. */
const MOST_PAGES = 1000;

/** A version of an object, or a marker that hides the older ones. */
export interface KeptVersion {
  /** `null` for one without an id. */
  id: string;
  isMarker: boolean;
}

/** Refusals to list versions: not permitted, or not offered. */
const CANNOT_LIST: ReadonlySet<string> = new Set(['AccessDenied', 'NotImplemented', 'MethodNotAllowed']);

/**
 * The id of a version, from an answer.
 *
 * @returns null where the bucket keeps no versions
 * @throws CodedError `STORE_FAILED` for what cannot be an id
 */
export function versionOf(id: string | undefined): string | null {
  // Objects that were written without versions have `null`.
  if (id === undefined || id === '' || id === 'null') return null;
  if (id.length > LONGEST_ID || /[^\x21-\x7e]/.test(id)) throw notAStore('it sends an invalid version id');
  return id;
}

/** The versions of the objects of a bucket. */
export class BucketVersions {
  readonly #connection: BucketConnection;

  constructor(connection: BucketConnection) {
    this.#connection = connection;
  }

  /**
   * Finds the version just below a version.
   *
   * @returns the older version; null if there is none, or it is deleted; undefined if that cannot be seen
   * @throws CodedError `STORE_FAILED`
   */
  async under(key: string, versionId: string): Promise<string | null | undefined> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new sdk.ListObjectVersionsCommand({
            Bucket: this.#connection.settings.bucket,
            Prefix: key,
            MaxKeys: PAGE
          }),
          { abortSignal }
        );
        const own = Versions.filter(({ Key }) => Key === key);
        const at = own.findIndex(({ VersionId }) => VersionId === versionId);
        const above = own[at];
        const below = own[at + 1];
        if (above === undefined) return undefined;
        if (below?.VersionId === undefined) return null;
        const from = below.LastModified?.getTime() ?? 0;
        const to = above.LastModified?.getTime() ?? 0;
        const isDeleted = DeleteMarkers.some(({ Key, LastModified }) => {
          const time = LastModified?.getTime() ?? NaN;
          return Key === key && time >= from && time <= to;
        });
        return isDeleted ? null : below.VersionId;
      });
    } catch (error) {
      const { code, status } = describeError(error);
      if (CANNOT_LIST.has(code) || (code === '' && (status === 403 || status === 501))) {
        this.#connection.tell('cannot-list-versions');
        return undefined;
      }
      throw this.#connection.fault(`list the versions of ${shownKey(key)}`, error);
    }
  }

  /**
   * All versions and delete markers of a key.
   *
   * @returns undefined if they cannot be listed
   * @throws CodedError `STORE_FAILED`
   */
  async all(key: string): Promise<KeptVersion[] | undefined> {
    const found = new Map<string, KeptVersion>();
    let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const next = await this.#page(key, from, found);
      if (next === undefined) return undefined;
      if (next === null) return [...found.values()];
      from = next;
    }
    throw notAStore('its list of versions has no end');
  }

  /** @returns where the next page begins; null after the last one; undefined if versions cannot be listed */
  async #page(
    key: string,
    from: { KeyMarker?: string; VersionIdMarker?: string },
    found: Map<string, KeptVersion>
  ): Promise<{ KeyMarker?: string; VersionIdMarker?: string } | null | undefined> {
    try {
      return await this.#connection.send(async ({ sdk, client, abortSignal }) => {
        const { bucket } = this.#connection.settings;
        const answer = await client.send(
          new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: PAGE, ...from }),
          { abortSignal }
        );
        const { Versions = [], DeleteMarkers = [], IsTruncated, NextKeyMarker, NextVersionIdMarker } = answer;
        const lists = [
          [Versions, false],
          [DeleteMarkers, true]
        ] as const;
        for (const [list, isMarker] of lists)
          for (const { Key, VersionId } of list) {
            // Checks what will be sent back.
            const id = versionOf(VersionId) ?? 'null';
            if (Key === key) found.set(id, { id, isMarker });
          }
        // Keys come in order, and none that begins with this one comes before it.
        if (IsTruncated !== true || NextKeyMarker === undefined || NextKeyMarker !== key) return null;
        return {
          KeyMarker: key,
          ...(NextVersionIdMarker !== undefined && { VersionIdMarker: NextVersionIdMarker })
        };
      });
    } catch (error) {
      const { code, status } = describeError(error);
      if (CANNOT_LIST.has(code) || (code === '' && (status === 403 || status === 501))) return undefined;
      throw this.#connection.fault(`list the versions of ${shownKey(key)}`, error);
    }
  }

  /** Deletes an object, or just one version of it. Works while closing, too. @throws CodedError `STORE_FAILED` */
  async remove(key: string, versionId: string | null): Promise<void> {
    try {
      await this.#connection.send(async ({ sdk, client }) => {
        await client.send(
          new sdk.DeleteObjectCommand({
            ...this.#connection.at(key),
            ...(versionId === null ? {} : { VersionId: versionId })
          })
        );
      });
    } catch (error) {
      throw this.#connection.fault(`delete ${shownKey(key)}`, error);
    }
  }

  /** Deletes a version that hides an older one. What cannot be deleted does no harm: both can be read. */
  async takeBack(key: string, versionId: string): Promise<void> {
    try {
      await this.remove(key, versionId);
    } catch {
      this.#connection.tell('cannot-take-back');
    }
  }
}
