import { retryAfter } from '../../src/webhook/endpoint/http-responses';
import { CodedError } from '../../src/errors/coded-error';
import type { FlowMessage } from './node-red';

interface Response {
  headersSent: boolean;
  writableEnded: boolean;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(): unknown;
}

/**
 * Answers the HTTP request that a message came with (no body), when there is one that nobody has
 * answered yet. The message carries it as core *http in* does, in `msg.res._res`.
 *
 * @param status 200: accepted; 503: the sender shall try again
 */
export function answerResponse(message: FlowMessage, status: 200 | 503): void {
  const holder = message['res'];
  const response =
    typeof holder === 'object' && holder !== null && '_res' in holder ? holder._res : undefined;
  if (!isResponse(response) || response.headersSent || response.writableEnded) return;
  response.statusCode = status;
  if (status === 503) response.setHeader('Retry-After', retryAfter());
  response.end();
}

/**
 * As `answerResponse`, when no job came of a message. One that has nothing to store has it no more when it is sent again,
 * and a provider may stop sending for good after a few refusals: it is accepted. All others may be sent again.
 */
export function answerFailure(message: FlowMessage, error: unknown): void {
  const isFinal = error instanceof CodedError && error.code === 'NO_RECORDING';
  answerResponse(message, isFinal ? 200 : 503);
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'end' in value && typeof value.end === 'function';
}
