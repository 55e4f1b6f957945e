import { CodedError } from '../../errors/coded-error';
import { type LockFacts, LOCK_MODES, type LockMode } from '../kept-facts';
import type { WantedLock } from '../destination';
import type { BucketConnection } from './client/connection';
import { describeError, isRejection } from './client/fault';
import { shownKey } from './object-key';

/** What a store says of the lock of one version. */
export interface SeenLock {
  retention: { mode: LockMode; /** Milliseconds since 1970. */ until: number } | null;
  hold: boolean;
  /** False when the access key may not ask: what is not seen may be there all the same. */
  isWhole: boolean;
}

/** How stores say that a version has no lock, or that its bucket knows none. */
const NO_LOCK: ReadonlySet<string> = new Set([
  'NoSuchObjectLockConfiguration',
  'ObjectLockConfigurationNotFoundError',
  'InvalidRequest',
  'NotImplemented',
  'MethodNotAllowed'
]);

/** Puts locks on versions of objects, and believes only what the store then says. */
export class ObjectLocks {
  readonly #connection: BucketConnection;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(connection: BucketConnection, now: () => number = Date.now) {
    this.#connection = connection;
    this.#now = now;
  }

  /**
   * Locks a version, and asks the store for the lock. A longer or stronger lock stays as it is.
   *
   * @throws CodedError `LOCK_UNCONFIRMED`, retryable, unless the store says that the lock is there
   */
  async lock(key: string, versionId: string | null, wanted: WantedLock): Promise<LockFacts> {
    const what = shownKey(key);
    if (versionId === null)
      throw unconfirmed(
        what,
        'The bucket gave it no version, and only versions can be locked. Choose a bucket with object lock.'
      );
    // Stores keep whole seconds at least; a lock must not end earlier.
    const until = Math.ceil(Date.parse(wanted.until) / 1000) * 1000;
    const before = await this.seen(key, versionId);
    const mode = stronger(wanted.mode, before.retention?.mode);
    try {
      if (!holds(before, { mode, until })) {
        const latest = Math.max(until, before.retention?.until ?? 0);
        await this.#retain(key, versionId, { mode, until: latest });
      }
      if (wanted.hold && !before.hold) await this.#hold(key, versionId);
    } catch (error) {
      throw unconfirmed(what, refusal(error, this.#connection, what), error);
    }
    const after = await this.seen(key, versionId);
    const { retention } = after;
    if (retention === null || !holds(after, { mode: wanted.mode, until }) || (wanted.hold && !after.hold))
      throw unconfirmed(
        what,
        after.isWhole
          ? 'The store accepted the lock and does not say that it is there. Its bucket may have no object lock.'
          : 'The key may not ask for the lock. It needs s3:GetObjectRetention and s3:GetObjectLegalHold.'
      );
    return {
      mode: retention.mode,
      until: new Date(retention.until).toISOString(),
      hold: after.hold,
      version_id: versionId,
      confirmed_at: new Date(this.#now()).toISOString()
    };
  }

  /** @throws CodedError `STORE_FAILED` when the store cannot be asked */
  async seen(key: string, versionId: string | null): Promise<SeenLock> {
    const retention = await this.#asked(key, async () => {
      const { Retention } = await this.#connection.send(({ sdk, client, abortSignal }) =>
        client.send(new sdk.GetObjectRetentionCommand(this.#version(key, versionId)), { abortSignal })
      );
      return retentionOf(Retention?.Mode, Retention?.RetainUntilDate);
    });
    const hold = await this.#asked(key, async () => {
      const { LegalHold } = await this.#connection.send(({ sdk, client, abortSignal }) =>
        client.send(new sdk.GetObjectLegalHoldCommand(this.#version(key, versionId)), { abortSignal })
      );
      return LegalHold?.Status === 'ON' ? true : null;
    });
    const isWhole = retention !== 'hidden' && hold !== 'hidden';
    // A key that may read the object may see locks in its headers, although it may not ask for them.
    const headers = isWhole ? null : await this.#headers(key, versionId);
    return {
      retention: (retention === 'hidden' ? null : retention) ?? headers?.retention ?? null,
      hold: hold === true || headers?.hold === true,
      isWhole
    };
  }

  async #asked<T>(key: string, ask: () => Promise<T | null>): Promise<T | null | 'hidden'> {
    try {
      return await ask();
    } catch (error) {
      const { code, status } = describeError(error);
      if (isRejection(error)) return 'hidden';
      if (NO_LOCK.has(code) || status === 404 || status === 405 || status === 501) return null;
      throw this.#connection.fault(`ask for the lock of ${shownKey(key)}`, error);
    }
  }

  async #headers(key: string, versionId: string | null): Promise<Omit<SeenLock, 'isWhole'> | null> {
    try {
      const found = await this.#connection.send(({ sdk, client, abortSignal }) =>
        client.send(new sdk.HeadObjectCommand(this.#version(key, versionId)), { abortSignal })
      );
      return {
        retention: retentionOf(found.ObjectLockMode, found.ObjectLockRetainUntilDate),
        hold: found.ObjectLockLegalHoldStatus === 'ON'
      };
    } catch {
      return null;
    }
  }

  async #retain(key: string, versionId: string, lock: { mode: LockMode; until: number }): Promise<void> {
    await this.#connection.send(async ({ sdk, client, abortSignal }) => {
      const command = new sdk.PutObjectRetentionCommand({
        ...this.#version(key, versionId),
        Retention: {
          Mode: lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
          RetainUntilDate: new Date(lock.until)
        }
      });
      await client.send(command, { abortSignal });
    });
  }

  async #hold(key: string, versionId: string): Promise<void> {
    await this.#connection.send(async ({ sdk, client, abortSignal }) => {
      const command = new sdk.PutObjectLegalHoldCommand({
        ...this.#version(key, versionId),
        LegalHold: { Status: 'ON' }
      });
      await client.send(command, { abortSignal });
    });
  }

  #version(key: string, versionId: string | null): { Bucket: string; Key: string; VersionId?: string } {
    return { ...this.#connection.at(key), ...(versionId === null ? {} : { VersionId: versionId }) };
  }
}

function retentionOf(mode: string | undefined, until: Date | undefined): SeenLock['retention'] {
  const known = LOCK_MODES.find((name) => name.toUpperCase() === mode);
  const time = until?.getTime() ?? NaN;
  return known === undefined || Number.isNaN(time) ? null : { mode: known, until: time };
}

function holds({ retention }: SeenLock, wanted: { mode: LockMode; until: number }): boolean {
  if (retention === null || retention.until < wanted.until) return false;
  return stronger(retention.mode, wanted.mode) === retention.mode;
}

function stronger(one: LockMode, other: LockMode | undefined): LockMode {
  return other === 'compliance' ? other : one;
}

function refusal(error: unknown, connection: BucketConnection, what: string): string {
  const { code, status } = describeError(error);
  if (isRejection(error))
    return 'The key may not lock it. It needs s3:PutObjectRetention, and s3:PutObjectLegalHold for holds.';
  if (code === 'InvalidRequest' || status === 501 || status === 405)
    return 'The bucket has no object lock. At most stores it can only be turned on when a bucket is created.';
  return connection.fault(`lock ${what}`, error).message;
}

function unconfirmed(what: string, why: string, cause?: unknown): CodedError {
  return new CodedError('LOCK_UNCONFIRMED', `${what} is stored, but not known to be locked. ${why}`, {
    ...(cause instanceof CodedError && { cause }),
    retryable: true
  });
}
