import { CodedError } from '../errors/coded-error';
import { retryAfterMs } from '../http/retry-after';
import { type SourceResponse, linkExpiry } from './source-request';

/** A server that drips its error page holds up the attempt no longer than this. */
const ERROR_BODY_MS = 5000;

export const LINK_EXPIRED_TEXT =
  'The link has expired (signed links work for about ten minutes). A fresh one is needed: with an API key in the ' +
  'account of the download node it is fetched automatically.';

/**
 * Explains a status other than 200 and 206 (table in `transfer.ts`). Reads at most 8 kB of the body
 * and destroys it.
 *
 * @param now milliseconds since 1970
 */
export async function refusedResponse(
  response: SourceResponse,
  authorized: boolean,
  now: number
): Promise<CodedError> {
  const { status, headers, url } = response;
  const s3 = status >= 400 ? parseS3Error(await firstBytes(response)) : null;
  response.body.destroy();
  const said = `${url.host} answered ${status}${s3 === null ? '' : ` (${s3.code})`}`;
  const wait = retryAfterMs(headers, now);
  const later = { retryable: true, ...(wait === undefined ? {} : { retryAfterMs: wait }) };

  if (hasEnded(response, s3, now)) return new CodedError('LINK_EXPIRED', LINK_EXPIRED_TEXT);
  if (status === 429 || s3?.code === 'SlowDown')
    return new CodedError('RATE_LIMITED', `${said}: too many requests; the next attempt waits.`, later);
  if (status === 401 && authorized)
    return new CodedError(
      'API_UNAUTHORIZED',
      `${said}: it does not accept the API key. Check the key in the account.`
    );
  if (status === 404)
    return new CodedError('LINK_REFUSED', `${said}: the file is not there, or not yet.`, {
      ...later,
      linkInDoubt: true,
      trouble: 'not-there'
    });
  if (status === 408 || status === 425 || status >= 500)
    return new CodedError('LINK_REFUSED', `${said}: a fault on its side that may pass.`, {
      ...later,
      trouble: 'source-fault'
    });
  if (s3?.code === 'AccessDenied')
    // S3 also says this about an object that does not exist yet.
    return new CodedError('LINK_REFUSED', `${said}: the link does not open the file, or not yet.`, {
      ...later,
      linkInDoubt: true
    });
  return new CodedError('LINK_REFUSED', `${said} instead of the file. Get a new link from the provider.`);
}

function hasEnded({ status, url }: SourceResponse, s3: S3Error | null, now: number): boolean {
  if (status !== 400 && status !== 401 && status !== 403) return false;
  if (s3?.expired === true) return true;
  const expiry = linkExpiry(url);
  return expiry !== null && expiry <= now;
}

async function firstBytes({ body }: SourceResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const timer = setTimeout(() => body.destroy(), ERROR_BODY_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= S3_ERROR_BYTES) break;
    }
  } catch {
    // What arrived before the connection broke is enough to go by; the status speaks for itself.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).subarray(0, S3_ERROR_BYTES);
}

/** The response of an S3-compatible store to a rejected link. */
export interface S3Error {
  /** `AccessDenied`, `NoSuchKey`, … */
  code: string;
  /** Whether the link has expired. */
  expired: boolean;
}

/** No S3 error is longer; more is not read. */
const S3_ERROR_BYTES = 8192;

const EXPIRED_CODES = new Set(['ExpiredToken', 'RequestExpired', 'TokenRefreshRequired']);

/**
 * Reads the XML (`<Error><Code>…`) that S3, Google and Azure answer with. Only the code is used:
 * the rest echoes the signed request.
 *
 * @param body at most `S3_ERROR_BYTES` of the response
 * @returns null for any other document
 */
export function parseS3Error(body: Uint8Array): S3Error | null {
  const text = Buffer.from(body.subarray(0, S3_ERROR_BYTES)).toString('utf8');
  if (!/<Error[\s>]/.test(text)) return null;
  const code = /<Code>\s*([A-Za-z0-9.]{1,64})\s*<\/Code>/.exec(text)?.[1];
  if (code === undefined) return null;
  const message = /<Message>([^<]{0,1000})/.exec(text)?.[1] ?? '';
  const expired =
    EXPIRED_CODES.has(code) ||
    // S3 and compatible stores; Google; Azure (AuthenticationFailed).
    /request has expired|token (has|is) expired|expired token|link expired/i.test(message) ||
    /not valid in the specified time frame/i.test(text);
  return { code, expired };
}
