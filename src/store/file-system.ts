import * as nodeFs from 'node:fs/promises';

/** What the store asks of a disk. Injected, so that tests can make a disk that fails. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'open'
  | 'link'
  | 'unlink'
  | 'rename'
  | 'mkdir'
  | 'stat'
  | 'lstat'
  | 'realpath'
  | 'readFile'
  | 'readdir'
  | 'copyFile'
>;

export const realFileSystem: FileSystem = nodeFs;

/** The system's name of an error (`ENOSPC`), or an empty text. */
export function errnoOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
