import type { IncomingHttpHeaders } from 'node:http';
import { CodedError } from '../../errors/coded-error';
import { retryAfterMs } from '../../http/retry-after';
import type { ApiDialect, ErrorMeaning } from './api-dialect';

/** An answer other than the wanted one. */
export interface RefusedRequest {
  /** `GET /recordings/…` at `api.example.com`, without the query. */
  what: string;
  status: number;
  headers: IncomingHttpHeaders;
  /** Parsed JSON, or null. */
  body: unknown;
  /** Milliseconds since 1970. */
  now: number;
  /** Never repeated in a text, whatever the other side echoes. */
  apiKey: string;
}

/** Statuses that the providers' SDKs try again, besides 5xx and 429. */
const PASSING = new Set([408, 409, 425]);

/**
 * Explains a refusal of an API. The meaning of the error code takes precedence over that of the status.
 *
 * | status | code | retryable |
 * |---|---|---|
 * | 401, 403 | `API_UNAUTHORIZED` | no |
 * | 404, 410 | `API_NOT_FOUND` | no |
 * | 429 | `RATE_LIMITED` | yes, after what the headers say |
 * | 408, 409, 425, 5xx, still processing | `LINK_REFUSED` | yes |
 * | 3xx and everything else | `LINK_REFUSED` | no |
 */
export function apiFault(refused: RefusedRequest, dialect: ApiDialect): CodedError {
  const { status, headers, now, what } = refused;
  const { code, text } = firstError(refused, dialect);
  // An API may send any code, even `constructor`, which every object has.
  const told = code !== null && Object.hasOwn(dialect.meanings, code) ? dialect.meanings[code] : undefined;
  const meaning = told ?? meaningOf(status);
  const said = `${what} was answered ${status}${text}`;
  const wait = retryAfterMs(headers, now);
  const later = { retryable: true, ...(wait === undefined ? {} : { retryAfterMs: wait }) };

  if (meaning === 'processing')
    return new CodedError('LINK_REFUSED', `${said}: it is still being processed.`, {
      ...later,
      trouble: 'not-there'
    });
  if (meaning === 'unauthorized')
    return new CodedError(
      'API_UNAUTHORIZED',
      `${said}: the API does not accept the key. Check the API key in the account, and that it belongs to the ` +
        `${dialect.provider} account that sends the events.`
    );
  if (meaning === 'not-found')
    return new CodedError(
      'API_NOT_FOUND',
      `${said}: the API does not know it. It was deleted, or the API key belongs to another account.`
    );
  if (meaning === 'rate-limited')
    return new CodedError('RATE_LIMITED', `${said}: too many requests; the next attempt waits.`, later);
  if (meaning === 'passing')
    return new CodedError('LINK_REFUSED', `${said}: a fault on its side that may pass.`, {
      ...later,
      trouble: 'source-fault'
    });
  if (status >= 300 && status < 400)
    return new CodedError(
      'LINK_REFUSED',
      `${said}, a redirect. It was not followed, because the API key would go with it. Check the API address in the account.`
    );
  return new CodedError('LINK_REFUSED', `${said} instead of what was asked for.`);
}

function meaningOf(status: number): ErrorMeaning | null {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 429) return 'rate-limited';
  return PASSING.has(status) || status >= 500 ? 'passing' : null;
}

/** Code and title of the first error; the rest of an error body can repeat the request. */
function firstError(
  { body, apiKey }: RefusedRequest,
  dialect: ApiDialect
): { code: string | null; text: string } {
  const read = dialect.readError(body);
  const code = plain(read.code, /^[\w.-]{1,40}$/, apiKey);
  const title = plain(read.title, /^[\p{L}\p{N} .,'()-]{1,80}$/u, apiKey);
  const parts = [code, title].filter((part) => part !== null);
  return { code, text: parts.length === 0 ? '' : ` (${parts.join(' ')})` };
}

function plain(text: string | null, allowed: RegExp, secret: string): string | null {
  return text !== null && allowed.test(text) && !text.includes(secret) ? text : null;
}
