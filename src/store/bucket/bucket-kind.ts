import { monotonicNow } from '../../clock/clocks';
import type { Notice } from '../../errors/notice';
import type { BucketConnection } from './client/connection';
import { describeError } from './client/fault';

export interface DefaultRetention {
  mode: string;
  unit: 'days' | 'years';
  time: number;
}

/** What a bucket does with what is written into it. `unknown`: the access key may not ask. */
export interface BucketKind {
  versioning: 'on' | 'suspended' | 'off' | 'unknown';
  lock: 'on' | 'off' | 'unknown';
  /** With a lock: the default retention of each new version. */
  retention: DefaultRetention | null;
}

/** Error codes of stores that support versions or locks but have none on this bucket, or support neither. */
const NONE: ReadonlySet<string> = new Set([
  'ObjectLockConfigurationNotFoundError',
  'NoSuchObjectLockConfiguration',
  'NotImplemented',
  'MethodNotAllowed',
  'InvalidRequest'
]);

/** @throws CodedError `STORE_FAILED` when the store cannot be reached or the bucket is not there */
export async function readBucketKind(connection: BucketConnection): Promise<BucketKind> {
  const { bucket: Bucket } = connection.settings;
  const versioning = await asked(connection, 'ask for the versioning', async () => {
    const { Status } = await connection.send(({ sdk, client, abortSignal }) =>
      client.send(new sdk.GetBucketVersioningCommand({ Bucket }), { abortSignal })
    );
    return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
  });
  const lock = await asked(connection, 'ask for the object lock', async () => {
    const { ObjectLockConfiguration } = await connection.send(({ sdk, client, abortSignal }) =>
      client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket }), { abortSignal })
    );
    if (ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled') return 'off';
    const { Mode, Days, Years } = ObjectLockConfiguration.Rule?.DefaultRetention ?? {};
    const span =
      Days === undefined
        ? ({ unit: 'years', time: Years ?? 0 } as const)
        : ({ unit: 'days', time: Days } as const);
    return { retention: Mode === undefined ? null : { mode: safe(Mode), ...span } };
  });
  return {
    versioning,
    lock: typeof lock === 'object' ? 'on' : lock,
    retention: typeof lock === 'object' ? lock.retention : null
  };
}

async function asked<T>(
  connection: BucketConnection,
  doing: string,
  ask: () => Promise<T>
): Promise<T | 'off' | 'unknown'> {
  try {
    return await ask();
  } catch (error) {
    const { code, status } = describeError(error);
    if (NONE.has(code) || status === 501 || status === 405) return 'off';
    if (code === 'AccessDenied' || (status === 403 && code === '')) return 'unknown';
    throw connection.fault(doing, error);
  }
}

/** Versioning can be turned on, and a default retention be set, at any time. */
const VALID_MS = 60 * 60_000;

/** What a bucket is, asked once and again after an hour. */
export class KnownKind {
  readonly #connection: BucketConnection;
  readonly #now: () => number;
  #asked: { at: number; kind: Promise<BucketKind> } | undefined;

  /** @param now milliseconds on a clock that never jumps */
  constructor(connection: BucketConnection, now: () => number = monotonicNow) {
    this.#connection = connection;
    this.#now = now;
  }

  /** @throws CodedError as `readBucketKind`; the next call then asks again */
  async get(): Promise<BucketKind> {
    const known = this.#asked;
    if (known !== undefined && this.#now() - known.at < VALID_MS) return await known.kind;
    const asked = { at: this.#now(), kind: readBucketKind(this.#connection) };
    this.#asked = asked;
    try {
      return await asked.kind;
    } catch (error) {
      if (this.#asked === asked) this.#asked = undefined;
      throw error;
    }
  }
}

const VERSIONING = {
  on: { notice: 'keeps-versions' },
  suspended: { notice: 'versioning-suspended' },
  off: { notice: 'keeps-no-versions' },
  unknown: { notice: 'versions-unknown' }
} as const satisfies Record<BucketKind['versioning'], Notice>;

/** One sentence about versions. */
export function ofVersions({ versioning }: BucketKind): Notice {
  return VERSIONING[versioning];
}

/** One sentence about locks. */
export function ofLock({ lock, retention }: BucketKind): Notice {
  if (lock === 'off') return { notice: 'no-lock' };
  if (lock === 'unknown') return { notice: 'lock-unknown' };
  if (retention === null) return { notice: 'lock-only' };
  const { unit, mode, time } = retention;
  return { notice: `locks-${unit}`, values: { time, mode } };
}

function safe(text: string): string {
  return text.replace(/[^\w-]/g, '').slice(0, 40);
}
