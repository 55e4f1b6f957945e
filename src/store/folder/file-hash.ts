import { constants } from 'node:fs';
import { NO_FOLLOW } from './durable-file';
import type { FileSystem } from './file-system';
import { hashStream } from '../hash-stream';

const PIECE_BYTES = 256 * 1024;

/** Reads the bytes of a regular file in order. A symbolic link is not followed (`ELOOP`). */
export async function* fileBytes(fs: FileSystem, path: string): AsyncGenerator<Uint8Array> {
  const handle = await fs.open(path, constants.O_RDONLY | NO_FOLLOW);
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Hex SHA-256 and size of a file, read from the disk. */
export function hashFile(fs: FileSystem, path: string): Promise<{ sha256: string; size: number }> {
  return hashStream(fileBytes(fs, path));
}
