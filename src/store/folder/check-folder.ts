import { dirname, join } from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { meaningOf } from '../store-fault';
import { DIRECTORY_MODE, type FileSystem, errnoOf, shortened } from './file-system';

/** Created and removed immediately. */
const TRIAL = '.telnyx-check';

/**
 * Checks whether a folder is writable or can be created, so that an invalid setting is reported on deploy, not
 * when a recording arrives. Leaves nothing behind.
 *
 * @throws CodedError `STORE_FAILED` whose text names the setting
 */
export async function checkFolder(fs: FileSystem, folder: string): Promise<void> {
  try {
    const trial = join(await nearestDirectory(fs, folder), TRIAL);
    await fs.mkdir(trial, DIRECTORY_MODE).catch(ignore('EEXIST'));
    await fs.rmdir(trial).catch(ignore('ENOENT'));
  } catch (error) {
    throw new CodedError(
      'STORE_FAILED',
      `Recordings cannot be stored in ${shortened(folder)}: ${meaning(error)}. Fix that, or choose another folder ` +
        'under "Folder".',
      { cause: error, retryable: true }
    );
  }
}

/** The directory itself, or its first existing parent. */
export async function nearestDirectory(
  fs: Pick<FileSystem, 'stat' | 'lstat'>,
  folder: string
): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      if ((await fs.stat(path)).isDirectory()) return path;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (!(await isBrokenLink(fs, path)) && dirname(path) !== path) continue;
      throw new CodedError('STORE_FAILED', `the link ${shortened(path)} leads nowhere`);
    }
    throw new CodedError('STORE_FAILED', `${shortened(path)} is a file`);
  }
}

async function isBrokenLink(fs: Pick<FileSystem, 'lstat'>, path: string): Promise<boolean> {
  try {
    return (await fs.lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

function meaning(error: unknown): string {
  if (error instanceof CodedError) return error.message;
  // The directory existed a moment ago.
  return errnoOf(error) === 'ENOENT' ? 'folders cannot be created there' : meaningOf(error);
}

function ignore(code: string): (error: unknown) => void {
  return (error) => {
    if (errnoOf(error) !== code) throw error;
  };
}
