import { isAbsolute, join, sep } from 'node:path';
import { CodedError } from '../errors/coded-error';
import { makeDirectory } from './durable-file';
import { errnoOf, type FileSystem } from './file-system';

/** Splits a wanted name into its segments; the naming station made them safe, this makes sure. */
export function nameSegments(name: string): string[] {
  const segments = name.split('/');
  for (const segment of segments)
    if (segment === '' || segment === '.' || segment === '..' || /[\0\\]/.test(segment))
      throw refused(`The name "${name.replace(/[^\x20-\x7e]/g, '?')}" is not a safe path.`);
  if (isAbsolute(name) || /^[a-z]:/i.test(name)) throw refused('The name is an absolute path.');
  return segments;
}

/**
 * Creates the directories below the archive's folder, one at a time, and refuses when one of them is
 * a symbolic link to a place outside of it.
 *
 * @param folder absolute; may itself be a symbolic link, that is the owner's choice
 * @returns the directory's real path
 * @throws CodedError `STORE_FAILED`, or the system's error
 */
export async function makeDirectoryBelow(
  fs: FileSystem,
  folder: string,
  segments: string[]
): Promise<string> {
  await makeDirectory(fs, folder);
  const root = await fs.realpath(folder);
  let real = root;
  for (const segment of segments) {
    const wanted = join(real, segment);
    try {
      await makeDirectory(fs, wanted);
    } catch (error) {
      // A dangling link makes mkdir say EEXIST; a plain file ENOTDIR or EEXIST.
      if (errnoOf(error) === 'EEXIST') throw refused(`"${wanted}" is in the way: a folder is needed there.`);
      throw error;
    }
    real = await fs.realpath(wanted);
    if (!isBelow(real, root))
      throw refused(
        `"${wanted}" is a symbolic link that leads out of the archive's folder; it is not followed.`
      );
  }
  return real;
}

/** True when `path` is `root` or lies below it; both real paths. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function refused(message: string): CodedError {
  return new CodedError('STORE_FAILED', message);
}
