import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Creates a directory that only the user who runs Node-RED may read, and its parents. Level by level, because
 * the recursive `mkdir` never ends where folders cannot be created (`/proc`).
 *
 * @throws the system's error
 */
export function makePrivateDirectory(directory: string): void {
  const missing: string[] = [];
  let level = path.resolve(directory);
  while (madeOrThere(level) !== null) {
    missing.push(level);
    if (path.dirname(level) === level) break;
    level = path.dirname(level);
  }
  for (const one of missing.reverse()) {
    const fault = madeOrThere(one);
    if (fault !== null) throw fault;
  }
}

/** @returns the error of a directory whose parent is missing, or seems to be */
function madeOrThere(directory: string): Error | null {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return error as Error;
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return null;
    throw error;
  }
}
