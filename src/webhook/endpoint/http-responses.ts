import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebhookErrorCode } from '../../errors/codes';

/** Seconds after which a sender may try again when the fault is on our side. */
const RETRY_AFTER_SECONDS = 10;

/** Milliseconds and bytes for which the rest of a refused body is still read. */
const LINGER_MS = 2000;
const LINGER_BYTES = 4 * 1024 * 1024;

/** The least that a piece of it counts, because each costs some work. */
const LINGER_PIECE = 1024;

/** The HTTP status for each reason to refuse. 4xx is final for most senders; our own faults are 503. */
export const STATUS_OF: Readonly<Record<WebhookErrorCode, number>> = {
  NO_PUBLIC_KEY: 503,
  BAD_PUBLIC_KEY: 503,
  MISSING_SIGNATURE: 401,
  MALFORMED_SIGNATURE: 401,
  SIGNATURE_MISMATCH: 401,
  BAD_TIMESTAMP: 401,
  TIMESTAMP_OUT_OF_RANGE: 401,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_ENCODING: 415,
  UNPARSABLE_BODY: 400,
  METHOD_NOT_ALLOWED: 405,
  RAW_BODY_UNAVAILABLE: 503,
  PATH_IN_USE: 503,
  REPLY_TIMEOUT: 503,
  NOT_RECORDED: 503
};

export function retryAfter(): string {
  return String(RETRY_AFTER_SECONDS);
}

const NO_HEADERS = {};
const EMPTY = { 'Content-Length': '0' };

/**
 * Answers with a status and an empty body. When part of the request's body is still arriving, the connection
 * ends with this response; the rest is read and discarded for a moment, because closing immediately would reset
 * the connection before the sender has read the response.
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = NO_HEADERS
): void {
  if (response.headersSent || response.destroyed) return;
  const whole = request.complete || !carriesBody(request);
  if (whole && headers === NO_HEADERS && status !== 503) {
    response.writeHead(status, EMPTY).end();
    return;
  }
  response.writeHead(status, {
    ...headers,
    ...(status === 503 && { 'Retry-After': retryAfter() }),
    ...(!whole && { Connection: 'close' }),
    ...EMPTY
  });
  if (whole) {
    response.end();
  } else {
    response.flushHeaders();
    linger(request, () => response.end());
  }
}

function carriesBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

function linger(request: IncomingMessage, end: () => void): void {
  let taken = 0;
  const stop = (): void => {
    clearTimeout(timer);
    request.off('data', onData).off('end', stop).off('error', stop).off('close', stop);
    request.pause();
    end();
  };
  const onData = (chunk: Buffer): void => {
    taken += Math.max(chunk.length, LINGER_PIECE);
    if (taken > LINGER_BYTES) stop();
  };
  const timer = setTimeout(stop, LINGER_MS);
  timer.unref();
  request.on('data', onData).on('end', stop).on('error', stop).on('close', stop);
  request.resume();
}

/** Gives a repeated delivery the answer that its first copy got. */
export function repeatAnswer(
  response: ServerResponse,
  given: { status: number; contentType: string | null; body: Buffer }
): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = given.status;
  if (given.contentType !== null) response.setHeader('Content-Type', given.contentType);
  // RFC 9110, 8.6: 204 has no length.
  if (given.status !== 204) response.setHeader('Content-Length', String(given.body.length));
  response.end(given.body);
}
