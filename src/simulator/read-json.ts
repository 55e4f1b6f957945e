import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 1024 * 1024;

/**
 * Reads the body of a request as a JSON object.
 *
 * @returns null when it is something else, too long, or breaks off
 */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > MOST_BYTES) return null;
      pieces.push(piece);
    }
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
