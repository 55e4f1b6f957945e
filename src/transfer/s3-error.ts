/** What an S3-compatible store said about a refused link. */
export interface S3Error {
  /** `AccessDenied`, `NoSuchKey`, … */
  code: string;
  /** The link's time is over. */
  expired: boolean;
}

/** No S3 error is longer; more is not read. */
export const S3_ERROR_BYTES = 8192;

const EXPIRED_CODES = new Set(['ExpiredToken', 'RequestExpired', 'TokenRefreshRequired']);

/**
 * Reads the XML (`<Error><Code>…`) that S3, Google and Azure answer with. Only the code is taken
 * over: the rest echoes the signed request.
 *
 * @param body at most `S3_ERROR_BYTES` of the response
 * @returns null when it is no such document
 */
export function parseS3Error(body: Uint8Array): S3Error | null {
  const text = Buffer.from(body.subarray(0, S3_ERROR_BYTES)).toString('utf8');
  if (!/<Error[\s>]/.test(text)) return null;
  const code = /<Code>\s*([A-Za-z0-9.]{1,64})\s*<\/Code>/.exec(text)?.[1];
  if (code === undefined) return null;
  const message = /<Message>([^<]{0,1000})/.exec(text)?.[1] ?? '';
  const expired =
    EXPIRED_CODES.has(code) ||
    // S3 and its likes; Google; Azure (AuthenticationFailed).
    /request has expired|token (has|is) expired|expired token|link expired/i.test(message) ||
    /not valid in the specified time frame/i.test(text);
  return { code, expired };
}
