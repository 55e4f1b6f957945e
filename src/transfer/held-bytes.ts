import { createHash, type Hash } from 'node:crypto';
import { LastBytes } from '../store/last-bytes';
import type { PartialCopy } from '../store/destination';
import { HEAD_BYTES } from './media-check';

/** What is known of the bytes that the store holds already. */
export interface HeldBytes {
  hash: Hash;
  size: number;
  /** The first bytes, at most `HEAD_BYTES`. */
  head: Buffer;
  /** The last bytes that were held at the start, which a resumed transfer asks for again. */
  tail: Buffer;
}

export function nothingHeld(): HeldBytes {
  return { hash: createHash('sha256'), size: 0, head: Buffer.alloc(0), tail: Buffer.alloc(0) };
}

/**
 * Reads everything held once more, so that the hash of a resumed file covers what really is there.
 * A store that cannot be read before the end (a bucket) tells what it remembers.
 *
 * @throws CodedError `STORE_FAILED`
 */
export async function readHeldBytes(copy: PartialCopy, signal: AbortSignal): Promise<HeldBytes> {
  const remembered = copy.remembered?.();
  if (remembered !== undefined)
    return { ...remembered, head: Buffer.from(remembered.head.subarray(0, HEAD_BYTES)) };
  const held = nothingHeld();
  const last = new LastBytes();
  for await (const bytes of copy.read()) {
    signal.throwIfAborted();
    addBytes(held, bytes);
    last.add(bytes);
  }
  return { ...held, tail: last.bytes() };
}

export function addBytes(held: HeldBytes, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  held.hash.update(bytes);
  if (held.head.length < HEAD_BYTES)
    held.head = Buffer.concat([held.head, bytes.subarray(0, HEAD_BYTES - held.head.length)]);
  held.size += bytes.length;
}
