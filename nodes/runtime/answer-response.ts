import { retryAfter } from '../../src/receiving/http-answers';
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

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'end' in value && typeof value.end === 'function';
}
