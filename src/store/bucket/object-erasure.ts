import { CodedError } from '../../errors/coded-error';
import type { CopyToErase, Permit, SidecarWriter } from '../destination';
import { sidecarPath } from '../sidecar';
import type { BucketConnection } from './client/connection';
import { isRejection } from './client/fault';
import { keyOfLocation, shownKey } from './object-key';
import type { ObjectLocks } from './object-lock';
import type { ObjectPlacement } from './object-placement';
import type { KeptVersion } from './object-versions';
import type { BucketObjects } from './objects';

/** Rounds of listing and deleting: another one is needed only while somebody writes. */
const MOST_ROUNDS = 5;

export interface ErasureParts {
  connection: BucketConnection;
  objects: BucketObjects;
  places: ObjectPlacement;
  locks: ObjectLocks;
  sidecars: SidecarWriter;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** One key, and what is to be deleted of it; null: the object itself, in a bucket that keeps no versions. */
interface Doomed {
  key: string;
  versions: KeptVersion[] | null;
  /** Others stay. */
  isPart?: boolean;
}

/**
 * Deletes recordings from a bucket for good. In a bucket that keeps versions, deleting a key only hides it: every version
 * and every delete marker goes, each by its id. Locks are never bypassed.
 */
export class ObjectErasure {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /** As `Destination.erase`. */
  async erase(copy: CopyToErase, permit: Permit): Promise<number> {
    const { settings } = this.#parts.connection;
    const file = keyOfLocation(settings, copy.location);
    const text = copy.text === null ? null : keyOfLocation(settings, copy.text);
    const sidecar = keyOfLocation(settings, sidecarPath(copy.location));
    const record = await this.#parts.sidecars.read(copy.location);
    const hasSidecar = record?.['sha256'] === copy.sha256;
    const doomed = [
      ...(text === null ? [] : [await this.#whole(text)]),
      await this.#file(file, copy, hasSidecar),
      // That of another file stays; what is only hidden by a delete marker goes.
      ...(hasSidecar || (await this.#isMissing(sidecar)) ? [await this.#whole(sidecar)] : [])
    ];
    await this.#refuseLocked(doomed);
    let removed = 0;
    for (const next of doomed) removed += await this.#remove(next, permit);
    return removed;
  }

  /** All of the key, if the sidecar says that the file is the copy; else what has its bytes. */
  async #file(key: string, { sha256, size, versionId }: CopyToErase, hasSidecar: boolean): Promise<Doomed> {
    const { places } = this.#parts;
    const whole = await this.#whole(key);
    if (hasSidecar || whole.versions?.length === 0) return whole;
    if (whole.versions === null) {
      if (await this.#isMissing(key)) return whole;
      if ((await places.holds(key, { sha256, size })) !== null) return whole;
      throw foreign(key);
    }
    const own: KeptVersion[] = [];
    let others = 0;
    for (const version of whole.versions) {
      if (version.isMarker) continue;
      // The id of a version belongs to one object for ever, even to a damaged one.
      const isOwn =
        version.id === versionId || (await places.holds(key, { sha256, size }, version.id)) !== null;
      if (isOwn) own.push(version);
      else others += 1;
    }
    // Without its delete marker, what somebody else deleted would be there again.
    if (others === 0) return whole;
    if (own.length === 0) throw foreign(key);
    return { key, versions: own, isPart: true };
  }

  async #isMissing(key: string): Promise<boolean> {
    return (await this.#parts.objects.probe(key)).kind === 'missing';
  }

  async #whole(key: string): Promise<Doomed> {
    const { connection, objects } = this.#parts;
    const versions = await objects.versions.all(key);
    if (versions !== undefined) return { key, versions };
    const { versioning } = await objects.kind.get();
    if (versioning === 'off' && !connection.isVersioned) return { key, versions: null };
    throw new CodedError(
      'STORE_FAILED',
      `The versions of ${shownKey(key)} cannot be listed, so it cannot be deleted for good. Permit s3:ListBucketVersions.`,
      { retryable: true }
    );
  }

  /** Before anything is deleted, so that a locked recording keeps its text. */
  async #refuseLocked(doomed: readonly Doomed[]): Promise<void> {
    const { objects } = this.#parts;
    if ((await objects.kind.get()).lock === 'off') return;
    for (const { key, versions } of doomed)
      for (const { id, isMarker } of versions ?? []) if (!isMarker) await this.#refuse(key, id);
  }

  async #refuse(key: string, id: string): Promise<void> {
    const { locks, now = Date.now } = this.#parts;
    const { retention, hold } = await locks.seen(key, id);
    const until =
      retention !== null && retention.until > now() ? new Date(retention.until).toISOString() : null;
    if (until === null && !hold) return;
    const why = [...(until === null ? [] : [`locked until ${until}`]), ...(hold ? ['on hold'] : [])].join(
      ' and '
    );
    throw new CodedError('DELETION_REFUSED', `${shownKey(key)} in the bucket is ${why}. It was not deleted.`);
  }

  async #remove({ key, versions, isPart }: Doomed, permit: Permit): Promise<number> {
    const { objects } = this.#parts;
    if (versions === null) {
      if (await this.#isMissing(key)) return 0;
      await permit();
      await objects.versions.remove(key, null);
      return 1;
    }
    let removed = 0;
    let left = versions;
    for (let round = 0; left.length > 0 && round < MOST_ROUNDS; round += 1) {
      for (const { id } of left) {
        await permit();
        await this.#removeVersion(key, id);
        removed += 1;
      }
      if (isPart === true) return removed;
      left = (await this.#whole(key)).versions ?? [];
    }
    if (left.length === 0) return removed;
    throw new CodedError(
      'STORE_FAILED',
      `${shownKey(key)} has versions again each time they are deleted. Does something else write it?`,
      { retryable: true }
    );
  }

  async #removeVersion(key: string, id: string): Promise<void> {
    try {
      await this.#parts.objects.versions.remove(key, id);
    } catch (error) {
      if (isRejection(error)) await this.#refuse(key, id);
      throw error;
    }
  }
}

function foreign(key: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `${shownKey(key)} in the bucket is another file than the recording that was to be deleted. It was left alone.`
  );
}
