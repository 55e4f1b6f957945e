import { createHash } from 'node:crypto';

/**
 * Hashes bytes as they arrive, without holding them.
 *
 * @param signal stops the reading between two pieces
 * @returns SHA-256 in hex, and how many bytes there were
 * @throws as `bytes`; `signal.reason` when aborted
 */
export async function hashStream(
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal
): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    hash.update(piece);
    size += piece.length;
  }
  return { sha256: hash.digest('hex'), size };
}
