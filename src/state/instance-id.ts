import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePrivateDirectory } from './private-directory';

const FILE = 'instance';

/**
 * The name of this installation: made once, kept beside the state, so that what its processes leave elsewhere
 * can be told from what others leave there.
 *
 * @param directory of the state; made when missing
 * @param id what it was called, when the file may have been removed
 * @returns 32 hex digits
 * @throws an error of the file system when the name can be neither read nor kept
 */
export function instanceId(directory: string, id?: string): string {
  const file = path.join(directory, FILE);
  makePrivateDirectory(directory);
  return readId(file) ?? keepId(file, id ?? randomBytes(16).toString('hex'));
}

function readId(file: string): string | null {
  try {
    return /^([0-9a-f]{32})\n?$/.exec(readFileSync(file, 'latin1'))?.[1] ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function keepId(file: string, id: string): string {
  const draft = `${file}-${id}`;
  try {
    writeFileSync(draft, `${id}\n`, { flush: true, flag: 'wx', mode: 0o600 });
    return claim(draft, file, id);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whole from the moment it has its name; of two processes that begin together, one's name holds for both. */
function claim(draft: string, file: string, id: string): string {
  try {
    linkSync(draft, file);
    return id;
  } catch (error) {
    const known = readId(file);
    if (known !== null) return known;
    const { code } = error as NodeJS.ErrnoException;
    // A power cut has left an empty one, or the file system has no hard links.
    if (code !== 'EEXIST' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    renameSync(draft, file);
    return readId(file) ?? id;
  }
}
