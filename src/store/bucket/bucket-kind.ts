import type { BucketConnection, BucketNotice } from './client/connection';
import { describeError } from './client/fault';

export interface DefaultRetention {
  mode: string;
  /** For example `30 days`. */
  time: string;
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
    const time = Days === undefined ? `${Years ?? 0} years` : `${Days} days`;
    return { retention: Mode === undefined ? null : { mode: safe(Mode), time } };
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

/** One sentence about versions. */
export function versioningText({ versioning }: BucketKind): string {
  switch (versioning) {
    case 'on':
      return 'It keeps versions: each recording is read and deleted by its version.';
    case 'suspended':
      return 'Its versioning is suspended: new objects have no version of their own.';
    case 'off':
      return 'It keeps no versions.';
    case 'unknown':
      return 'It is not known whether it keeps versions: the key lacks s3:GetBucketVersioning.';
  }
}

/** One sentence about locks. */
export function lockText({ lock, retention }: BucketKind): string {
  if (lock === 'off') return 'It has no object lock.';
  if (lock === 'unknown')
    return 'It is not known whether it has an object lock: the key lacks s3:GetBucketObjectLockConfiguration.';
  if (retention === null) return 'It has an object lock, without a default retention.';
  return `It has an object lock: everything that is stored is locked for ${retention.time} (${retention.mode}), JSON files too.`;
}

export function noticeText(notice: BucketNotice): string {
  return notice === 'cannot-list-versions'
    ? 'The bucket keeps versions, and the key lacks s3:ListBucketVersions. If two Node-REDs store different recordings under ' +
        'the same name at the same moment, the later one would hide the earlier one, which stays in the bucket.'
    : 'Two recordings were stored under one name at the same moment. The later one is stored again under another name, but its ' +
        'first version could not be deleted and hides the earlier recording, which stays in the bucket: look at the versions. ' +
        'The key needs s3:DeleteObjectVersion.';
}

function safe(text: string): string {
  return text.replace(/[^\w-]/g, '').slice(0, 40);
}
