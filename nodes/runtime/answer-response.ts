import type { FlowMessage } from './node-red';

interface Response {
  headersSent: boolean;
  writableEnded: boolean;
  statusCode: number;
  end(): unknown;
}

/**
 * Answers the HTTP request that a message came with (200, no body), when there is one that nobody has
 * answered yet. The message carries it as core *http in* does, in `msg.res._res`.
 */
export function answerResponse(message: FlowMessage): void {
  const holder = message['res'];
  const response =
    typeof holder === 'object' && holder !== null && '_res' in holder ? holder._res : undefined;
  if (!isResponse(response) || response.headersSent || response.writableEnded) return;
  response.statusCode = 200;
  response.end();
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'end' in value && typeof value.end === 'function';
}
