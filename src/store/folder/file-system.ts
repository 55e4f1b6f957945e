import * as nodeFs from 'node:fs/promises';
import { link, lstat, rename, type Stats, unlink } from 'node:fs';
import { promisify } from 'node:util';
import { type OpenFile, openFile } from './open-file';

/** What the store asks of a disk. Injected, so that tests can make a disk that fails. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'link'
  | 'unlink'
  | 'rename'
  | 'mkdir'
  | 'rmdir'
  | 'stat'
  | 'lstat'
  | 'realpath'
  | 'readFile'
  | 'readdir'
  | 'opendir'
  | 'copyFile'
> & {
  /** @param flags as `fs.open` has them */
  open: (path: string, flags: string | number, mode?: number) => Promise<OpenFile>;
};

/** What every recording needs goes the shorter way through Node's callbacks. */
export const realFileSystem: FileSystem = {
  ...nodeFs,
  open: openFile,
  link: promisify(link),
  lstat: promisify<string, Stats>(lstat) as FileSystem['lstat'],
  rename: promisify(rename),
  unlink: promisify(unlink)
};

/** The system's name of an error (`ENOSPC`), or an empty text. */
export function errnoOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
