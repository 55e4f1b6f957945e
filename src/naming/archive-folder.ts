import path from 'node:path';
import { CodedError } from '../errors/coded-error';

export const DEFAULT_FOLDER = 'telnyx-recordings';

export interface FolderSurroundings {
  /** Absolute; relative folders lie in it. */
  userDir: string;
  /** @returns undefined when the environment variable is not set */
  env: (name: string) => string | undefined;
}

/**
 * Turns the setting `folder` into an absolute path: `${NAME}` becomes the environment variable, a
 * leading `~/` the home folder, blank the default; what is relative lies in the userDir.
 *
 * @throws CodedError `BAD_SETTING` when a variable is not set or the text cannot be a path
 */
export function archiveFolder(setting: string, surroundings: FolderSurroundings): string {
  const expanded = setting
    .trim()
    .replace(/^~(?=$|[/\\])/, '${HOME}')
    .replace(/\$\{([^}]*)\}/g, (_whole, name: string) => {
      const value = surroundings.env(name.trim());
      if (value === undefined || value === '') {
        throw new CodedError(
          'BAD_SETTING',
          `The folder uses the environment variable ${name.trim()}, which is not set. Set it for Node-RED, or write the folder out.`
        );
      }
      return value;
    });
  if (expanded.includes('\0')) {
    throw new CodedError('BAD_SETTING', 'The folder holds a character that no path can have. Type it again.');
  }
  return path.resolve(surroundings.userDir, expanded === '' ? DEFAULT_FOLDER : expanded);
}
