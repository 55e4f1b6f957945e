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
 * Answers the HTTP request of a message, without a body, if it is still unanswered. The response is in
 * `msg.res._res`, as with core *http in*.
 *
 * @param status 200: accepted; 503: the sender should retry
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
 * Like `answerResponse`, for a message without a job. A message with nothing to store is accepted: a repeat
 * would not help, and a provider may stop sending for good after a few rejections. All others may be sent
 * again.
 */
export function answerFailure(message: FlowMessage, error: unknown): void {
  const isFinal = error instanceof CodedError && error.code === 'NO_RECORDING';
  answerResponse(message, isFinal ? 200 : 503);
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'end' in value && typeof value.end === 'function';
}
