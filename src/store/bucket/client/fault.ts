import { CodedError } from '../../../errors/coded-error';
import { rootCause } from '../../../errors/root-cause';
import { type Trouble, bucketTrouble } from '../../../errors/trouble';
import { retryAfterMs } from '../../../http/retry-after';

interface Meaning {
  text: string;
  /** True when waiting does not help. */
  final?: boolean;
}

const CLOCK: Meaning = { text: "this machine's clock is wrong; synchronize it with a time server" };
const KEY_ID: Meaning = { text: 'the store does not know this access key ID; check it in the bucket node' };
const TOKEN: Meaning = { text: 'the temporary credentials have run out; renew them' };
const BUSY: Meaning = { text: 'the store is busy or has a fault of its own' };
const REGION: Meaning = {
  text: 'the bucket is in another region, or not at this address; check region and endpoint'
};

/** What Node's HTTP parser rejects. */
const NO_STORE: Meaning = {
  text: 'the endpoint does not answer as an S3 store does; check it, and what stands between it and this computer'
};

/** The error codes of S3 (Amazon S3 API Reference, "Error responses") and what a user can do about them. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  Object.entries<Meaning>({
    NoSuchBucket: { text: 'there is no bucket of that name; check the name, the region and the endpoint' },
    NoSuchKey: { text: 'there is no such object' },
    NoSuchUpload: { text: 'the store no longer knows the upload that was begun' },
    AccessDenied: {
      text:
        'the key is not permitted to do that; it needs s3:PutObject, s3:GetObject and s3:AbortMultipartUpload, ' +
        'and s3:ListBucket to see that a name is free; in a versioned bucket also s3:GetObjectVersion and ' +
        's3:ListBucketVersions'
    },
    AllAccessDisabled: { text: 'access to the bucket is switched off' },
    InvalidAccessKeyId: KEY_ID,
    SignatureDoesNotMatch: {
      text: 'the secret access key does not belong to the access key ID; enter both again in the bucket node'
    },
    RequestTimeTooSkewed: CLOCK,
    RequestExpired: CLOCK,
    ExpiredToken: TOKEN,
    InvalidToken: TOKEN,
    AuthorizationHeaderMalformed: REGION,
    PermanentRedirect: REGION,
    TemporaryRedirect: REGION,
    IllegalLocationConstraintException: REGION,
    InvalidBucketName: { text: 'the name of the bucket is not valid', final: true },
    KeyTooLongError: {
      text: 'the key is too long; shorten the filename template or the prefix',
      final: true
    },
    InvalidObjectName: {
      text: 'the store does not accept this key; shorten the filename template',
      final: true
    },
    EntityTooLarge: { text: 'the file is larger than the store takes', final: true },
    EntityTooSmall: { text: 'the store wants larger parts than 5 MiB', final: true },
    InvalidStorageClass: { text: 'the store does not offer this storage class', final: true },
    NotImplemented: { text: 'the store cannot do that', final: true },
    QuotaExceeded: { text: 'the quota of the bucket is used up; make room or raise it' },
    BadDigest: { text: 'the bytes were damaged on their way; the checksum that was sent does not match' },
    XAmzContentSHA256Mismatch: { text: 'the bytes were damaged on their way; their hash does not match' },
    SlowDown: BUSY,
    ServiceUnavailable: BUSY,
    InternalError: BUSY,
    OperationAborted: { text: 'another request changed the same object at the same time' },
    ConditionalRequestConflict: { text: 'another request changed the same object at the same time' },
    RequestTimeout: { text: 'the connection to the store was too slow' },
    TimeoutError: { text: 'the store does not answer in time' },
    CredentialsProviderError: {
      text:
        'no access key was found; enter one in the bucket node, or give this machine credentials ' +
        '(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a shared credentials file, or a role)'
    },
    'KMS.DisabledException': { text: 'the KMS key is disabled' },
    'KMS.NotFoundException': { text: 'there is no such KMS key; check it in the bucket node' },
    ECONNREFUSED: { text: 'nothing answers at the address of the store; check the endpoint' },
    ENOTFOUND: {
      text: 'the name of the store cannot be resolved; check endpoint, region and path style in the bucket node'
    },
    EAI_AGAIN: { text: 'the name of the store cannot be resolved now; is the network up?' },
    ECONNRESET: { text: 'the connection to the store broke off' },
    EPIPE: { text: 'the connection to the store broke off' },
    ETIMEDOUT: { text: 'the store does not answer in time' }
  })
);

/**
 * Turns an error of the AWS SDK into `STORE_FAILED` without anything secret: those errors hold the access
 * key, the signature and the text that was signed. Retryable, like a full disk: keys are fixed and buckets
 * created while jobs wait.
 *
 * @param doing what failed, for example `store calls/a.mp3 in the bucket "archive"`
 */
export function bucketFault(doing: string, error: unknown): CodedError {
  if (error instanceof CodedError) return isOfProxy(error) ? proxyFault(doing, error) : error;
  const { code, status } = describeError(error);
  // A store may send any code, even `constructor`, which every object has.
  const meaning = MEANINGS.get(code) ?? (code.startsWith('HPE_') ? NO_STORE : undefined);
  const retryAfterMs = retryAfter(error);
  const fault = new CodedError(
    'STORE_FAILED',
    `Could not ${doing}: ${meaning === undefined ? unknownFault(error, code, status) : `${meaning.text} (${code})`}.`,
    {
      ...(isSystemError(error) ? { cause: new Error(error.message) } : {}),
      retryable: meaning?.final !== true,
      trouble: bucketTrouble(code, status),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs })
    }
  );
  if (isRejection(error)) refusals.add(fault);
  return fault;
}

const PROXY_TROUBLES: ReadonlySet<Trouble> = new Set(['proxy-unreachable', 'proxy-refuses', 'beyond-proxy']);

function isOfProxy({ code, trouble }: CodedError): boolean {
  return code !== 'STORE_FAILED' && PROXY_TROUBLES.has(trouble);
}

function proxyFault(doing: string, error: CodedError): CodedError {
  const { message, retryable, trouble } = error;
  return new CodedError('STORE_FAILED', `Could not ${doing}. ${message}`, {
    cause: error,
    retryable,
    trouble
  });
}

/** Whether the access key is not permitted to do what failed. @param error of the SDK, or what `bucketFault` made of it */
export function isRejection(error: unknown): boolean {
  if (error instanceof CodedError) return refusals.has(error);
  const { code, status } = describeError(error);
  return code === 'AccessDenied' || (status === 403 && code === '');
}

const refusals = new WeakSet<CodedError>();

/** The code (of S3 or of the system) and HTTP status of an error; empty and 0 when it has none. */
export function describeError(error: unknown): { code: string; status: number } {
  if (!(error instanceof Error)) return { code: '', status: 0 };
  const status = Number(field(field(error, '$metadata'), 'httpStatusCode') ?? 0);
  const own = field(error, 'Code') ?? field(error, 'code');
  // `UnknownError` and bare numbers are what the SDK makes of answers without a body.
  const code = typeof own === 'string' ? own : error.name;
  if (/^(Error|UnknownError|Unknown|\d+)$/.test(code)) return { code: '', status };
  return { code, status };
}

function unknownFault(error: unknown, code: string, status: number): string {
  if (error instanceof Error && error.message === 'Region is missing')
    return 'no region is set; enter it in the bucket node, or set AWS_REGION';
  if (status === 0) return rootCause(error);
  if (status === 403) return 'the store refused it (403); check the access key and its permissions';
  return `the store answered ${status}${code === '' ? '' : ` (${code.replace(/[^\w.-]/g, '').slice(0, 60)})`}`;
}

/** Errors of Node's own network calls: their text names the address and nothing else. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && typeof field(error, 'syscall') === 'string';
}

function retryAfter(error: unknown): number | undefined {
  const headers = field(field(error, '$response'), 'headers');
  return typeof headers === 'object' && headers !== null
    ? retryAfterMs({ ...headers }, Date.now())
    : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
