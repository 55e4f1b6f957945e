import type { IncomingMessage } from 'node:http';
import type { ByteBudget } from './byte-budget';

/**
 * What could be had of a request's body before anything else saw it.
 * - `bytes`: exactly what was received
 * - `not-read`: the method carries none that matters; nothing was read
 * - `too-large`, `encoded`: refused before or while reading
 * - `too-slow`: not complete in time
 * - `fragmented`: came in so many small pieces that they take up far more room than the body
 * - `overloaded`: too many unverified bytes are under way
 * - `lost`: something else read the stream first, or the sender gave up
 */
export type CapturedBody =
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'not-read' | 'too-large' | 'encoded' | 'too-slow' | 'fragmented' | 'overloaded' | 'lost' };

export interface CaptureLimits {
  /** Bytes of this body. */
  maxBody: number;
  /** Milliseconds for the whole body. A total, because a byte a second never looks idle. */
  timeoutMs: number;
  /** Unverified bytes of all requests together. */
  budget: ByteBudget;
}

/** Bytes that a piece of a body takes up in memory besides its content. */
const PIECE_BYTES = 256;

/** Pieces in which any body may come; a larger one may come in more of them. */
const FEWEST_PIECES = 4096;

/** Whether nobody has read from the request's body, nor replaced it, nor turns its bytes into text. */
export function isUntouched(request: IncomingMessage & { _body?: unknown; body?: unknown }): boolean {
  return (
    request._body !== true &&
    !request.readableDidRead &&
    !request.destroyed &&
    request.readableEncoding === null
  );
}

/**
 * Reads a request body to its end, counting. The limit holds for a declared length, before anything
 * is read, and for the bytes that really come.
 *
 * @returns never rejects
 */
export function captureBody(request: IncomingMessage, limits: CaptureLimits): Promise<CapturedBody> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    return Promise.resolve({ kind: 'encoded' });
  }
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > limits.maxBody)
    return Promise.resolve({ kind: 'too-large' });

  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const mostPieces = FEWEST_PIECES + limits.maxBody / PIECE_BYTES;
    let size = 0;
    const finish = (outcome: CapturedBody): void => {
      clearTimeout(timer);
      limits.budget.leave(unfinished);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (outcome.kind !== 'bytes') request.pause();
      resolve(outcome);
    };
    const unfinished = { held: 0, giveWay: () => finish({ kind: 'overloaded' }) };
    const onData = (chunk: Buffer): void => {
      if (size + chunk.length > limits.maxBody) return finish({ kind: 'too-large' });
      if (chunks.length >= mostPieces) return finish({ kind: 'fragmented' });
      if (!limits.budget.take(unfinished, chunk.length + PIECE_BYTES)) return;
      size += chunk.length;
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      const first = chunks[0];
      finish({ kind: 'bytes', bytes: chunks.length === 1 && first ? first : Buffer.concat(chunks, size) });
    };
    const onGone = (): void => finish({ kind: 'lost' });
    const timer = setTimeout(() => finish({ kind: 'too-slow' }), limits.timeoutMs);
    limits.budget.enter(unfinished);
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
