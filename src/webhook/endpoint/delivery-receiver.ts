import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CapturedBody } from '../express/captured-body';

/** A live endpoint: what a webhook node puts behind its path. */
export interface DeliveryReceiver {
  /** Bytes; bodies over it are not read to their end. */
  readonly maxBody: number;
  /** Whether it can do with Node's own request and response, without what Express adds to them. */
  readonly plain: boolean;
  acceptsMethod(method: string): boolean;
  /** Answers the request in any case, now or later. Never throws. */
  receive(request: IncomingMessage, response: ServerResponse, body: CapturedBody): void;
}
