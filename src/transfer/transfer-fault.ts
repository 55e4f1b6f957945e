import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';

const TIME_OUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT'
]);

/**
 * Turns what broke a connection into a coded error; every one of them is worth another attempt.
 *
 * @param phase `connect`: until the response headers are there; `body`: after them
 * @param host for the text
 */
export function transferFault(error: unknown, phase: 'connect' | 'body', host: string): CodedError {
  const own = codedWithin(error);
  if (own !== undefined) return own;
  const reason = rootCause(error);
  const code = errorCode(error);
  if (TIME_OUTS.has(code))
    return new CodedError(
      'STALLED',
      phase === 'body'
        ? `${host} stopped sending in the middle of the file (${reason}).`
        : `${host} did not answer in time (${reason}).`,
      { cause: error, retryable: true }
    );
  if (phase === 'body')
    return new CodedError(
      'TRUNCATED',
      `The connection to ${host} broke off before the file was complete: ${reason}.`,
      {
        cause: error,
        retryable: true
      }
    );
  return new CodedError('LINK_REFUSED', `No connection to ${host}: ${reason}.`, {
    cause: error,
    retryable: true
  });
}

/** The address guard raises coded errors inside the socket; they arrive wrapped. */
function codedWithin(error: unknown): CodedError | undefined {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    if (current instanceof CodedError) return current;
    current = current.cause;
  }
  return undefined;
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
