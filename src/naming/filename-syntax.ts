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

export const DEFAULT_FILENAME =
  '{{year}}/{{month}}/{{day}}/{{started_at}}_{{recording_id}}_{{channels}}.{{ext}}';

export const MAX_SEGMENTS = 16;

/** Characters. */
export const LONGEST_TEMPLATE = 4096;

export type FilenamePart = { literal: string } | { token: FilenameToken };

/** What can be wrong with a template, and the part that shows it. */
export type FilenameFault =
  | { fault: 'length' | 'empty' | 'absolute' | 'braces' | 'nameless' }
  | { fault: 'levels'; count: number }
  /** `shown`: the text between the braces. */
  | { fault: 'token'; shown: string }
  /** `shown`: the character. */
  | { fault: 'character'; shown: string }
  /** `shown`: the folder, `.` or `..` or longer. */
  | { fault: 'dots'; shown: string };

/**
 * Reads a template, both for the dialog and at runtime, so that they agree. Only `/` in the template's own text
 * makes folders, never one in a value.
 *
 * @returns the parts of each folder level, the file's own last; or the first fault
 */
export function parseFilename(template: string): FilenamePart[][] | FilenameFault {
  if (template.length > LONGEST_TEMPLATE) return { fault: 'length' };
  if (template.trim() === '') return { fault: 'empty' };
  if (/^[/\\]|^[A-Za-z]:/.test(template)) return { fault: 'absolute' };
  const segments: FilenamePart[][] = [[]];
  // Splitting by a pattern with a group gives literal text at even places and token names at odd ones.
  for (const [place, piece] of template.split(/\{\{([^{}]*)\}\}/).entries()) {
    if (place % 2 === 1) {
      const token = FILENAME_TOKENS.find((known) => known === piece.trim());
      if (token === undefined) return { fault: 'token', shown: piece.trim() };
      segments.at(-1)?.push({ token });
      continue;
    }
    const fault = literalFault(piece);
    if (fault !== null) return fault;
    for (const [level, literal] of piece.split('/').entries()) {
      if (level > 0) segments.push([]);
      if (literal !== '') segments.at(-1)?.push({ literal });
    }
  }
  return segmentFault(segments) ?? segments;
}

function literalFault(literal: string): FilenameFault | null {
  const bad = /[<>:"\\|?*]|\p{Cc}|\p{Cf}|\p{Cs}/u.exec(literal)?.[0];
  if (bad !== undefined) return { fault: 'character', shown: bad };
  return /\{\{|\}\}/.test(literal) ? { fault: 'braces' } : null;
}

function segmentFault(segments: readonly FilenamePart[][]): FilenameFault | null {
  if (segments.length > MAX_SEGMENTS) return { fault: 'levels', count: segments.length };
  for (const parts of segments) {
    const literal = parts.map((part) => ('literal' in part ? part.literal : 'x')).join('');
    if (literal.trim() === '') return { fault: 'nameless' };
    if (/^\.+$/.test(literal.trim())) return { fault: 'dots', shown: literal };
  }
  return null;
}
