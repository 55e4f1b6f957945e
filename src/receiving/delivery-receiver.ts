import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CapturedBody } from './captured-body';

/** A live endpoint: what a webhook node puts behind its path. */
export interface DeliveryReceiver {
  /** Bytes; bodies over it are not read to their end. */
  readonly maxBody: number;
  acceptsMethod(method: string): boolean;
  /** Answers the request in any case, now or later. Never throws. */
  receive(request: IncomingMessage, response: ServerResponse, body: CapturedBody): void;
}
