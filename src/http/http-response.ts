import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { CodedError } from '../errors/coded-error';
import type { HttpBody } from './http-body';

/** How the end of a body is recognised; `close`: by the end of the connection, which proves nothing. */
export type Framing = 'length' | 'chunked' | 'close';

/** An answer, as soon as its headers are there. A caller that gets it must read or destroy the body. */
export interface HttpResponse {
  /** From 200 to 599. */
  status: number;
  headers: IncomingHttpHeaders;
  framing: Framing;
  body: HttpBody;
}

/** Headers that mean nothing when they are there twice and differ. Node would take the first, or both in one. */
const SINGLE = [
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'location',
  'transfer-encoding'
] as const;

/**
 * Reads what the headers of an answer say.
 *
 * @returns CodedError `LINK_REFUSED` when they cannot be understood in one way only
 */
export function readResponse(
  message: IncomingMessage,
  host: string
): Omit<HttpResponse, 'body'> | CodedError {
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599)
    return notUnderstood(
      host,
      `it sends the status ${String(status).padStart(3, '0')}, which does not exist`
    );
  const headers = { ...message.headers };
  for (const name of SINGLE) {
    const values = new Set(message.headersDistinct[name]?.map((value) => value.trim()));
    if (values.size > 1) return notUnderstood(host, `it sends several headers "${name}" that differ`);
    const [value] = values;
    if (value !== undefined) headers[name] = value;
  }
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding !== undefined && coding !== 'chunked' && coding !== 'identity')
    return notUnderstood(host, 'it sends in a way that was not asked for ("transfer-encoding")');
  const isEmpty = status === 204 || status === 304;
  const hasLength = isEmpty || headers['content-length'] !== undefined;
  const framing = coding === 'chunked' ? 'chunked' : hasLength ? 'length' : 'close';
  return { status, headers, framing };
}

function notUnderstood(host: string, what: string): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `${host} does not answer as a web server does: ${what}. Look at what answers at this address, and for a proxy in ` +
      'between that changes it.',
    { retryable: true }
  );
}
