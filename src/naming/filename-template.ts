import { CodedError } from '../errors/coded-error';
import {
  DEFAULT_FILENAME,
  type FilenameFault,
  type FilenamePart,
  type FilenameToken,
  FILENAME_TOKENS,
  LONGEST_TEMPLATE,
  MAX_SEGMENTS,
  parseFilename
} from './filename-syntax';
import { safeSegment, safeStart, safeValue } from './safe-segment';

/** What the tokens stand for; null when unknown. */
export type FilenameValues = Readonly<Record<FilenameToken, string | null>>;

/** Leaves room for what the store adds: `.json` of the sidecar, a hash against a collision. */
const MAX_SEGMENT_BYTES = 200;
const MAX_NAME_BYTES = 1000;

/** A checked template. */
export interface FilenameTemplate {
  /** @returns safe segments separated by `/`; never empty, never absolute, never outside the folder */
  name(values: FilenameValues): string;
}

/**
 * Checks a template once, so that no recording meets a bad one. `/` in the template's own text makes
 * folders; nothing that a value holds ever does.
 *
 * @throws CodedError `BAD_SETTING` that names what is wrong
 */
export function compileFilename(template: string): FilenameTemplate {
  const segments = checked(template);
  const limit = Math.min(MAX_SEGMENT_BYTES, Math.floor(MAX_NAME_BYTES / segments.length));
  return {
    name: (values) =>
      segments
        .map((parts) => {
          const [first = '', ...rest] = parts.map((part) => spell(part, values));
          // What the template itself begins with is what its owner wants.
          const isValue = parts[0] !== undefined && 'token' in parts[0];
          return safeSegment([isValue ? safeStart(first) : first, ...rest].join(''), limit);
        })
        .map((segment, level) => (level === segments.length - 1 ? notOfAnother(segment) : segment))
        .join('/')
  };
}

/** What the archive itself puts beside a file: its sidecar, and what was set aside. */
const BESIDE = /\.json$|\.damaged-\d{8}T\d{6}Z(?:_\d+)?$/i;

/** A template without an ending could make a name that is the sidecar's of another file. */
function notOfAnother(name: string): string {
  return BESIDE.test(name) ? `${name}_` : name;
}

function spell(part: FilenamePart, values: FilenameValues): string {
  if ('literal' in part) return part.literal;
  const value = values[part.token];
  return value === null || value.trim() === '' ? 'unknown' : safeValue(value);
}

function checked(template: string): FilenamePart[][] {
  const parsed = parseFilename(template);
  if (Array.isArray(parsed)) return parsed;
  throw new CodedError('BAD_SETTING', `"File name" ${advice(parsed)}.`);
}

function advice(problem: FilenameFault): string {
  switch (problem.fault) {
    case 'length':
      return `has more than ${LONGEST_TEMPLATE} characters. Names that long are cut anyway`;
    case 'empty':
      return `is empty. For example ${DEFAULT_FILENAME}`;
    case 'absolute':
      return 'is an absolute path. Put the folder into "Folder"; the file name is relative to it';
    case 'token':
      return `has the unknown token {{${problem.shown}}}. Known are ${FILENAME_TOKENS.join(', ')}`;
    case 'character':
      return (
        `has the character ${JSON.stringify(problem.shown)}, which file names on some systems cannot have. ` +
        (problem.shown === '\\' ? 'Use / between folders' : 'Leave it out')
      );
    case 'braces':
      return 'has {{ and }} that do not enclose a token. Write tokens as {{recording_id}}';
    case 'levels':
      return `has ${problem.count} levels. At most ${MAX_SEGMENTS} are possible`;
    case 'nameless':
      return 'has a folder or file without a name. Look for // and for a / at the end';
    case 'dots':
      return `has the folder "${problem.shown}". Files stay inside the folder of "Folder"`;
  }
}
