/** Codes of the webhook nodes: why a delivery was refused or could not be answered. */
export const WEBHOOK_ERROR_CODES = [
  'NO_PUBLIC_KEY',
  'BAD_PUBLIC_KEY',
  'MISSING_SIGNATURE',
  'MALFORMED_SIGNATURE',
  'SIGNATURE_MISMATCH',
  'BAD_TIMESTAMP',
  'TIMESTAMP_OUT_OF_RANGE',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_ENCODING',
  'UNPARSABLE_BODY',
  'METHOD_NOT_ALLOWED',
  'RAW_BODY_UNAVAILABLE',
  'PATH_IN_USE',
  'REPLY_TIMEOUT',
  'NOT_RECORDED'
] as const;

/** Codes of the recording-download node: why a recording is not (yet) in the archive. */
export const DOWNLOAD_ERROR_CODES = [
  'NO_RECORDING',
  'LINK_EXPIRED',
  'LINK_REFUSED',
  'NOT_MEDIA',
  'TRUNCATED',
  'TOO_LARGE',
  'UNSAFE_URL',
  'UNSUPPORTED_URL',
  'STALLED',
  'API_UNAUTHORIZED',
  'API_NOT_FOUND',
  'RATE_LIMITED',
  'STORE_FAILED',
  'LOCK_UNCONFIRMED',
  'DELETION_REFUSED',
  'REPEATED_CRASH',
  'GAVE_UP'
] as const;

/** Codes of the recording-list node. Errors of the API have the codes of downloads. */
export const LIST_ERROR_CODES = ['ALREADY_RUNNING', 'LIST_INCOMPLETE'] as const;

/** Settings that cannot work; raised at deploy, never for a single message. */
export const SETTINGS_ERROR_CODES = ['BAD_SETTING'] as const;

/** Codes of all nodes that share their work: why they cannot now. */
export const QUEUE_ERROR_CODES = ['QUEUE_AWAY'] as const;

/** Codes of all nodes that keep state: why it cannot be used now. */
export const STATE_ERROR_CODES = ['STATE_IN_USE'] as const;

export type WebhookErrorCode = (typeof WEBHOOK_ERROR_CODES)[number];
export type DownloadErrorCode = (typeof DOWNLOAD_ERROR_CODES)[number];
export type ListErrorCode = (typeof LIST_ERROR_CODES)[number];
export type ErrorCode =
  | WebhookErrorCode
  | DownloadErrorCode
  | ListErrorCode
  | (typeof SETTINGS_ERROR_CODES)[number]
  | (typeof QUEUE_ERROR_CODES)[number]
  | (typeof STATE_ERROR_CODES)[number];

const ALL_CODES: ReadonlySet<string> = new Set([
  ...WEBHOOK_ERROR_CODES,
  ...DOWNLOAD_ERROR_CODES,
  ...LIST_ERROR_CODES,
  ...SETTINGS_ERROR_CODES,
  ...QUEUE_ERROR_CODES,
  ...STATE_ERROR_CODES
]);

/** Whether a text read from disk is one of this package's codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return ALL_CODES.has(text);
}
