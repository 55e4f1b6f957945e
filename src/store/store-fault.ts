import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { diskTrouble } from '../errors/trouble';
import { errnoOf } from './folder/file-system';

/** What the system's error names mean for the person who repairs the fault. */
const MEANINGS: Record<string, string> = {
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the disk quota is used up; make room or raise it',
  EROFS: 'the file system is read-only; a damaged or locked disk can look like this',
  EACCES: 'Node-RED is not permitted to write there; check owner and permissions of the folder',
  EPERM: 'the system does not permit it; check owner, permissions and mount options of the folder',
  ENOENT: 'the folder is gone; was it removed, or a disk unmounted?',
  ENOTDIR: 'a file is where a folder is needed',
  EISDIR: 'a folder is where a file is needed',
  ELOOP: 'a symbolic link is where a file or folder of the archive is expected',
  EIO: 'the disk reports a fault; check it before it loses data',
  ENXIO: 'the disk is gone',
  ENODEV: 'the disk is gone',
  ESTALE: 'the network share was lost; mount it again',
  EHOSTDOWN: 'the network share is not reachable',
  ETIMEDOUT: 'the network share does not answer',
  EMFILE: 'too many files are open in Node-RED',
  ENFILE: 'too many files are open on this machine',
  EBUSY: 'another program holds the file',
  ENAMETOOLONG: 'the name is too long for this file system; shorten the filename template',
  EFBIG: 'the file is too large for this file system (FAT ends at 4 GB)'
};

/** Faults that waiting does not fix. */
const FINAL = new Set(['ENAMETOOLONG', 'EFBIG']);

/**
 * Turns a file system error into `STORE_FAILED`. Retryable, because disks are emptied, mounted and
 * given permissions while jobs wait.
 *
 * @param doing what failed, for example `write the partial copy`
 */
export function storeFault(doing: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError('STORE_FAILED', `Could not ${doing}: ${meaningOf(error)}.`, {
    cause: error,
    retryable: !FINAL.has(errnoOf(error)),
    trouble: diskTrouble(errnoOf(error))
  });
}

/** What a file system error means, for people; without a full stop. */
export function meaningOf(error: unknown): string {
  const errno = errnoOf(error);
  // An error may have any code, even `constructor`, which every object has.
  const meaning = Object.hasOwn(MEANINGS, errno) ? MEANINGS[errno] : undefined;
  return meaning === undefined ? rootCause(error) : `${meaning} (${errno})`;
}
