import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';

/** One of our deadlines has passed. Becomes a `CodedError` with the code `STALLED`. */
export class Overdue extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Where an exchange failed. */
export interface FaultPlace {
  /** `connect`: until the headers of the response arrive; `body`: after them. */
  phase: 'connect' | 'body';
  host: string;
  /** What is asked for, for the text: `file`, `answer`. */
  wanted: string;
}

/**
 * Turns the failure of an exchange into a coded error; each one is worth another attempt.
 *
 * | what                                     | code           |
 * |------------------------------------------|----------------|
 * | a deadline, or the system's own time-out | `STALLED`      |
 * | not HTTP, headers without end            | `LINK_REFUSED` |
 * | anything else before the body            | `LINK_REFUSED` |
 * | anything else in the body                | `TRUNCATED`    |
 *
 * @param error a `CodedError` in it, such as that of an address rule, is returned as it is
 */
export function httpFault(error: unknown, { phase, host, wanted }: FaultPlace): CodedError {
  const own = codedWithin(error);
  if (own !== undefined) return own;
  const options = { cause: error, retryable: true };
  const code = errorCode(error);
  if (code === 'ETIMEDOUT')
    return new CodedError(
      'STALLED',
      phase === 'body'
        ? `${host} stopped sending in the middle of the ${wanted} (${rootCause(error)}).`
        : `${host} did not answer in time (${rootCause(error)}).`,
      options
    );
  const isParsing = code.startsWith('HPE_');
  const reason = reasonOf(code, error);
  if (phase === 'body')
    return new CodedError(
      'TRUNCATED',
      `The connection to ${host} broke off before the ${wanted} was complete: ${reason}.`,
      options
    );
  if (isParsing)
    return new CodedError(
      'LINK_REFUSED',
      `${host} did not answer as a web server does: ${reason}. Look at what answers at this address, and for a proxy ` +
        'in between.',
      { ...options, trouble: 'source-fault' }
    );
  return new CodedError('LINK_REFUSED', `No connection to ${host}: ${reason}.`, {
    ...options,
    trouble: 'source-unreachable'
  });
}

/** Texts for errors of Node's parser and sockets whose own texts do not help users, by code. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', 'its headers are too long'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'its chunk extensions are too long'],
  ['HPE_UNEXPECTED_CONTENT_LENGTH', 'it states several lengths'],
  ['HPE_INVALID_CONTENT_LENGTH', 'it states an invalid length'],
  ['HPE_INVALID_TRANSFER_ENCODING', 'it uses an unknown transfer encoding'],
  ['ECONNRESET', 'the other side closed it'],
  ['EPIPE', 'the other side closed it']
]);

function reasonOf(code: string, error: unknown): string {
  const known = REASONS.get(code);
  if (known !== undefined) return `${known} (${code})`;
  return code.startsWith('HPE_') ? `it sends something that is not HTTP (${code})` : rootCause(error);
}

/** Address rules raise coded errors inside the socket; they may arrive wrapped. */
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
