import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from './http-responses';

/**
 * What could be captured of a request's body before anything else read it.
 * - `bytes`: exactly what was received
 * - `not-read`: the method has no relevant body; nothing was read
 * - `too-large`, `encoded`: refused before or while reading
 * - `too-slow`: not complete in time
 * - `fragmented`: arrived in so many small pieces that they take up far more memory than the body
 * - `overloaded`: too many unverified bytes are under way
 * - `lost`: something else read the stream first, or the sender gave up
 */
export type CapturedBody =
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'not-read' | 'too-large' | 'encoded' | 'too-slow' | 'fragmented' | 'overloaded' | 'lost' };

/** A live endpoint: what a webhook node puts behind its path. */
export interface DeliveryReceiver {
  /** Bytes; bodies over it are not read to their end. */
  readonly maxBody: number;
  /** Whether Node's own request and response are enough, without what Express adds to them. */
  readonly plain: boolean;
  acceptsMethod(method: string): boolean;
  /** Answers the request in any case, now or later. Never throws. */
  receive(request: IncomingMessage, response: ServerResponse, body: CapturedBody): void;
}

/** What serves a path: a live receiver, or nothing for the moment. */
export interface FoundRoute {
  receiver: DeliveryReceiver | null;
}

/**
 * Serves the path of a node whose settings cannot work. Senders are asked to try again; "not found" would be
 * final for most of them.
 */
export const unavailableReceiver: DeliveryReceiver = {
  maxBody: 0,
  plain: true,
  acceptsMethod: () => false,
  receive: (request, response) => answer(request, response, 503)
};
