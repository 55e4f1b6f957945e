import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

export const LOCK_FILE = 'lock.mdb';

/** Bytes; at least what LMDB maps for its default number of readers on every platform. */
const LOCK_SIZE = 12 * 1024;

/**
 * Gives LMDB's lock file its bytes before LMDB maps it. LMDB itself only sets its length; on a full disk the
 * first access then ends the process by SIGBUS instead of failing.
 *
 * @param environment directory of the environment; nobody else has it open
 * @throws the system's error, `ENOSPC` on a full disk
 */
export function reserveLockFile(environment: string): void {
  const file = path.join(environment, LOCK_FILE);
  const known = statSync(file, { throwIfNoEntry: false });
  if (known !== undefined) {
    // The process that opened it has touched its head; behind it only the 60th reader would.
    if (known.size > 0 && known.blocks > 0) return;
    rmSync(file);
  }
  const handle = openSync(file, 'wx', 0o664);
  try {
    const bytes = Buffer.alloc(LOCK_SIZE);
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at, bytes.length - at, at);
    fsyncSync(handle);
  } catch (error) {
    closeSync(handle);
    rmSync(file, { force: true });
    throw error;
  }
  closeSync(handle);
}
