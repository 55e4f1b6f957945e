import path from 'node:path';
import { CodedError } from '../errors/coded-error';
import { DEFAULT_FOLDER } from './archive-defaults';

/** No system accepts longer paths. */
const LONGEST_SETTING = 32_767;

export interface FolderSurroundings {
  /** Absolute; relative folders are in it. */
  userDir: string;
  /** @returns undefined when the environment variable is not set */
  env: (name: string) => string | undefined;
}

/**
 * Turns the setting `folder` into an absolute path: `${NAME}` becomes the environment variable, a
 * leading `~/` the home folder, blank the default; relative paths are in the userDir.
 *
 * @throws CodedError `BAD_SETTING` when a variable is not set or the text cannot be a path
 */
export function archiveFolder(setting: string, surroundings: FolderSurroundings): string {
  const trimmed = setting.trim();
  if (trimmed.length > LONGEST_SETTING)
    throw new CodedError('BAD_SETTING', 'The folder is longer than any path can be. Type it again.');
  const expanded = withVariables(trimmed.replace(/^~(?=$|[/\\])/, '${HOME}'), (name) => {
    const value = surroundings.env(name);
    if (value !== undefined && value !== '') return value;
    throw new CodedError(
      'BAD_SETTING',
      `The folder uses the environment variable ${name}, which is not set. Set it for Node-RED, or write the folder out.`
    );
  });
  if (expanded.includes('\0')) {
    throw new CodedError('BAD_SETTING', 'The folder holds a character that no path can have. Type it again.');
  }
  return path.resolve(surroundings.userDir, expanded === '' ? DEFAULT_FOLDER : expanded);
}

/** Replaces each `${NAME}` with its value. */
function withVariables(text: string, valueOf: (name: string) => string): string {
  let done = '';
  let from = 0;
  for (;;) {
    const begin = text.indexOf('${', from);
    const end = begin === -1 ? -1 : text.indexOf('}', begin);
    if (end === -1) return done + text.slice(from);
    done += text.slice(from, begin) + valueOf(text.slice(begin + 2, end).trim());
    from = end + 1;
  }
}
