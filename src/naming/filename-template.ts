import { CodedError } from '../errors/coded-error';
import { safeSegment, safeStart, safeValue } from './safe-segment';

export const FILENAME_TOKENS = [
  'year',
  'month',
  'day',
  'hour',
  'started_at',
  'recording_id',
  'call_session_id',
  'call_leg_id',
  'call_control_id',
  'conference_id',
  'connection_id',
  'channels',
  'ext',
  'event_type',
  'provider',
  'from',
  'to',
  'room_name',
  'track',
  'media_index'
] as const;

export type FilenameToken = (typeof FILENAME_TOKENS)[number];

/** What the tokens stand for; null when unknown. */
export type FilenameValues = Readonly<Record<FilenameToken, string | null>>;

export const DEFAULT_FILENAME =
  '{{year}}/{{month}}/{{day}}/{{started_at}}_{{recording_id}}_{{channels}}.{{ext}}';

/** Leaves room for what the store adds: `.json` of the sidecar, a hash against a collision. */
const MAX_SEGMENT_BYTES = 200;
const MAX_NAME_BYTES = 1000;
const MAX_SEGMENTS = 16;
const LONGEST_TEMPLATE = 4096;

type Part = { literal: string } | { token: FilenameToken };

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
  const segments = splitTemplate(template);
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

function spell(part: Part, values: FilenameValues): string {
  if ('literal' in part) return part.literal;
  const value = values[part.token];
  return value === null || value.trim() === '' ? 'unknown' : safeValue(value);
}

function splitTemplate(template: string): Part[][] {
  if (template.length > LONGEST_TEMPLATE)
    refuse(`has more than ${LONGEST_TEMPLATE} characters`, 'Names that long are cut anyway');
  if (template.trim() === '') refuse('is empty', `For example ${DEFAULT_FILENAME}`);
  if (/^[/\\]|^[A-Za-z]:/.test(template)) {
    refuse('is an absolute path', 'Put the folder into "Folder"; the file name is relative to it');
  }
  const segments: Part[][] = [[]];
  // Splitting by a group gives literal text at even places and token names at odd ones.
  for (const [place, piece] of template.split(/\{\{([^{}]*)\}\}/).entries()) {
    if (place % 2 === 1) {
      segments.at(-1)?.push({ token: knownToken(piece.trim()) });
      continue;
    }
    for (const [level, literal] of checkedLiteral(piece).split('/').entries()) {
      if (level > 0) segments.push([]);
      if (literal !== '') segments.at(-1)?.push({ literal });
    }
  }
  checkSegments(segments);
  return segments;
}

function knownToken(name: string): FilenameToken {
  const token = FILENAME_TOKENS.find((known) => known === name);
  if (token === undefined)
    refuse(`has the unknown token {{${name}}}`, `Known are ${FILENAME_TOKENS.join(', ')}`);
  return token;
}

function checkedLiteral(literal: string): string {
  const bad = /[<>:"\\|?*]|\p{Cc}|\p{Cf}|\p{Cs}/u.exec(literal)?.[0];
  if (bad !== undefined) {
    refuse(
      `has the character ${JSON.stringify(bad)}, which file names on some systems cannot have`,
      bad === '\\' ? 'Use / between folders' : 'Leave it out'
    );
  }
  if (/\{\{|\}\}/.test(literal)) {
    refuse('has {{ and }} that do not enclose a token', 'Write tokens as {{recording_id}}');
  }
  return literal;
}

function checkSegments(segments: readonly Part[][]): void {
  if (segments.length > MAX_SEGMENTS)
    refuse(`has ${segments.length} levels`, `At most ${MAX_SEGMENTS} are possible`);
  for (const parts of segments) {
    const literal = parts.map((part) => ('literal' in part ? part.literal : 'x')).join('');
    if (literal.trim() === '')
      refuse('has a folder or file without a name', 'Look for // and for a / at the end');
    if (/^\.+$/.test(literal.trim()))
      refuse(`has the folder "${literal}"`, 'Files stay inside the folder of "Folder"');
  }
}

function refuse(problem: string, advice: string): never {
  throw new CodedError('BAD_SETTING', `"File name" ${problem}. ${advice}.`);
}
