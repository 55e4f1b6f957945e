import type { ErrorCode } from './codes';

/** What can be wrong; the nodes have a short text for each word. None of them comes from outside. */
export const TROUBLES = [
  'source-unreachable',
  'source-fault',
  'source-busy',
  'source-refuses',
  'source-silent',
  'broken-off',
  'link-expired',
  'no-media',
  'not-there',
  'api-refuses',
  'proxy-unreachable',
  'proxy-refuses',
  'beyond-proxy',
  'bucket-unreachable',
  'bucket-missing',
  'bucket-refuses',
  'bucket-busy',
  'bucket-full',
  'bucket-fault',
  'disk-full',
  'disk-read-only',
  'disk-denied',
  'disk-fault',
  'folder-gone',
  'share-gone',
  'clock-wrong',
  'cannot-store',
  'state',
  'crash',
  'unexpected'
] as const;

export type Trouble = (typeof TROUBLES)[number];

/** The trouble that a code implies, for errors that do not say more. */
const BY_CODE: Partial<Record<ErrorCode, Trouble>> = {
  LINK_EXPIRED: 'link-expired',
  LINK_REFUSED: 'source-refuses',
  NOT_MEDIA: 'no-media',
  TRUNCATED: 'broken-off',
  STALLED: 'source-silent',
  RATE_LIMITED: 'source-busy',
  API_UNAUTHORIZED: 'api-refuses',
  API_NOT_FOUND: 'not-there',
  NO_RECORDING: 'not-there',
  STORE_FAILED: 'cannot-store',
  REPEATED_CRASH: 'crash'
};

const BY_ERRNO: ReadonlyMap<string, Trouble> = new Map([
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
  ['EROFS', 'disk-read-only'],
  ['EACCES', 'disk-denied'],
  ['EPERM', 'disk-denied'],
  ['ENOENT', 'folder-gone'],
  ['EIO', 'disk-fault'],
  ['ENXIO', 'disk-fault'],
  ['ENODEV', 'disk-fault'],
  ['ESTALE', 'share-gone'],
  ['EHOSTDOWN', 'share-gone'],
  ['ETIMEDOUT', 'share-gone']
]);

const BY_STORE_CODE: ReadonlyMap<string, Trouble> = new Map([
  ['NoSuchBucket', 'bucket-missing'],
  ['InvalidBucketName', 'bucket-missing'],
  ['AuthorizationHeaderMalformed', 'bucket-missing'],
  ['PermanentRedirect', 'bucket-missing'],
  ['TemporaryRedirect', 'bucket-missing'],
  ['IllegalLocationConstraintException', 'bucket-missing'],
  ['AccessDenied', 'bucket-refuses'],
  ['AllAccessDisabled', 'bucket-refuses'],
  ['InvalidAccessKeyId', 'bucket-refuses'],
  ['SignatureDoesNotMatch', 'bucket-refuses'],
  ['ExpiredToken', 'bucket-refuses'],
  ['InvalidToken', 'bucket-refuses'],
  ['CredentialsProviderError', 'bucket-refuses'],
  ['KMS.DisabledException', 'bucket-refuses'],
  ['KMS.NotFoundException', 'bucket-refuses'],
  ['RequestTimeTooSkewed', 'clock-wrong'],
  ['RequestExpired', 'clock-wrong'],
  ['QuotaExceeded', 'bucket-full'],
  ['SlowDown', 'bucket-busy'],
  ['ServiceUnavailable', 'bucket-busy'],
  ['InternalError', 'bucket-busy'],
  ['RequestTimeout', 'bucket-unreachable'],
  ['TimeoutError', 'bucket-unreachable'],
  ['ECONNREFUSED', 'bucket-unreachable'],
  ['ECONNRESET', 'bucket-unreachable'],
  ['EHOSTUNREACH', 'bucket-unreachable'],
  ['ENETUNREACH', 'bucket-unreachable'],
  ['ENOTFOUND', 'bucket-unreachable'],
  ['EAI_AGAIN', 'bucket-unreachable'],
  ['EPIPE', 'bucket-unreachable'],
  ['ETIMEDOUT', 'bucket-unreachable']
]);

/** The trouble of an error that has only a code. */
export function troubleOfCode(code: ErrorCode): Trouble {
  return BY_CODE[code] ?? 'unexpected';
}

/** The trouble behind an error of the file system. @param errno such as `ENOSPC` */
export function diskTrouble(errno: string): Trouble {
  return BY_ERRNO.get(errno) ?? 'cannot-store';
}

/** The trouble behind an error of a bucket. @param code of S3 or of the system; @param status 0 without a response */
export function bucketTrouble(code: string, status: number): Trouble {
  const known = BY_STORE_CODE.get(code);
  if (known !== undefined) return known;
  if (status === 403) return 'bucket-refuses';
  return status >= 500 ? 'bucket-busy' : 'bucket-fault';
}
