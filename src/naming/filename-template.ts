import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import type { RecordingDetails } from '../recording/recording-details';
import { leadingRun, trailingRun } from '../text/edges';
import {
  DEFAULT_FILENAME,
  FILENAME_TOKENS,
  type FilenameFault,
  type FilenamePart,
  type FilenameToken,
  LONGEST_TEMPLATE,
  MAX_SEGMENTS,
  parseFilename
} from './filename-syntax';

/** What the tokens stand for; null when unknown. */
export type FilenameValues = Readonly<Record<FilenameToken, string | null>>;

/** Leaves room for what the store adds: the sidecar's `.json`, a hash to avoid a collision. */
const MAX_SEGMENT_BYTES = 200;
const MAX_NAME_BYTES = 1000;

/** A checked template. */
export interface FilenameTemplate {
  /** @returns safe segments separated by `/`; never empty, never absolute, never outside the folder */
  name(values: FilenameValues): string;
}

/**
 * Checks a template in advance, so that a bad one affects no recording. Only `/` in the template's own text
 * makes folders, never one in a value.
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
          // The start of the template itself is intended.
          const isValue = parts[0] !== undefined && 'token' in parts[0];
          return safeSegment([isValue ? safeStart(first) : first, ...rest].join(''), limit);
        })
        .map((segment, level) =>
          level === segments.length - 1 ? notOfAnother(segment, values.ext) : segment
        )
        .join('/')
  };
}

/** Endings of what the archive itself puts beside a file: its sidecar, and files that were set aside. */
const BESIDE = /\.json$|\.damaged-\d{8}T\d{6}Z(?:_\d+)?$/i;

/**
 * A template without an ending could make the name of another file's sidecar. With one, no file has the name that a
 * JSON file would describe.
 */
function notOfAnother(name: string, ext: string | null): string {
  const isJson = ext !== null && /(?:^|[\w-]\.)json$/.test(ext);
  const isOwn = isJson && name.endsWith(`.${ext}`) && !name.endsWith('.json.json');
  return BESIDE.test(name) && !isOwn ? `${name}_` : name;
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

/** Facts that name a file, besides the recording's details. */
export interface NamingFacts {
  /** Ending without dot, from the bytes themselves; null when unknown. */
  ext: string | null;
  /** ISO 8601 UTC; used when the recording's own start is unknown. */
  announced_at: string | null;
  media_index: number | null;
  /** What tells the files of a recording apart that has no channels. */
  kind?: string | null;
}

/**
 * The values of the filename tokens. Times are UTC and those of the recording, never of its archiving:
 * the same recording archived tomorrow gets the same name.
 */
export function filenameValues(details: RecordingDetails, facts: NamingFacts): FilenameValues {
  const time = isoParts(details.started_at) ?? isoParts(facts.announced_at);
  return {
    year: time?.year ?? null,
    month: time?.month ?? null,
    day: time?.day ?? null,
    hour: time?.hour ?? null,
    started_at: time?.compact ?? null,
    recording_id: details.recording_id,
    call_session_id: details.call_session_id,
    call_leg_id: details.call_leg_id,
    call_control_id: details.call_control_id,
    conference_id: details.conference_id,
    connection_id: details.connection_id,
    channels: details.channels ?? facts.kind ?? null,
    ext: facts.ext,
    event_type: details.event_type,
    provider: details.provider,
    from: details.from,
    to: details.to,
    room_name: details.room_name,
    track: details.track,
    media_index: facts.media_index === null ? null : String(facts.media_index)
  };
}

/** The values as they are in a name, for an example of one. */
export function shownValues(values: FilenameValues): Record<FilenameToken, string> {
  const shown = FILENAME_TOKENS.map((token) => [token, spell({ token }, values)] as const);
  return Object.fromEntries(shown) as Record<FilenameToken, string>;
}

interface IsoParts {
  year: string;
  month: string;
  day: string;
  hour: string;
  /** `20260304T091502Z`: sorts by time and has no colon, which Windows refuses. */
  compact: string;
}

function isoParts(iso: string | null): IsoParts | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})/.exec(iso ?? '');
  if (match === null) return null;
  const [year = '', month = '', day = '', hour = '', minute = '', second = ''] = match.slice(1);
  return { year, month, day, hour, compact: `${year}${month}${day}T${hour}${minute}${second}Z` };
}

/**
 * What no name may contain: control and format characters (incl. NUL, bidi overrides, zero-width), line
 * separators, lone surrogates, private use; what Windows refuses (`<>:"/\|?*`); and the characters that
 * look like a slash.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}<>:"/\\|?*\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c]/gu;

/** What Windows drops at the end of a name, and other systems hide or trip over at its beginning. */
const EDGES = '. ';

/** Windows device names, which are reserved with any ending, and with blanks before it. */
const RESERVED =
  /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?=\.|$)/i;

/** Characters of a value that a name can show; the hash covers the others too. */
const LONGEST_VALUE = 1024;

/** Longest ending that is kept when a name is cut, in bytes. */
const LONGEST_ENDING = 12;

/**
 * Makes text from outside harmless inside a file name. A changed value gets a short hash of the
 * original, so that different values stay different.
 *
 * @returns non-empty text without path separators, without dots or blanks at its ends
 */
export function safeValue(value: string): string {
  // Normalising sorts the marks on each letter, which takes too long for a million of them.
  const looked = value.slice(0, LONGEST_VALUE);
  const safe = withSafeEdges(looked.normalize('NFC').replace(UNSAFE, '_'));
  return safe === value ? safe : `${safe}-${shortHash(value)}`;
}

/**
 * Makes a safe value harmless at the beginning of a name: programs take `-x` for an option, and a shell takes
 * `~x` for a home folder.
 */
export function safeStart(value: string): string {
  return /^[-~]/.test(value) ? `_${value.slice(1)}-${shortHash(value)}` : value;
}

/** A run of dots and blanks at an edge becomes one `_`. */
function withSafeEdges(text: string): string {
  if (!hasBadEdge(text)) return text;
  const begin = leadingRun(text, EDGES);
  const end = Math.max(begin, text.length - trailingRun(text, EDGES));
  return `${begin > 0 ? '_' : ''}${text.slice(begin, end)}${end < text.length ? '_' : ''}`;
}

/**
 * Makes one path segment, assembled from template text and safe values, acceptable to every file
 * system: never `.` or `..`, no dot or blank at the end, no Windows device name, not too long.
 *
 * @param maxBytes of UTF-8; a longer segment is cut at a character and gets a hash, but keeps its ending
 */
export function safeSegment(segment: string, maxBytes: number): string {
  const dropped = hasBadEdge(segment) ? trailingRun(segment, EDGES) : 0;
  let safe = segment.slice(0, segment.length - dropped) + '_'.repeat(dropped);
  if (RESERVED.test(safe))
    safe = safe.replace(RESERVED, (device) => `${device.trimEnd()}-${shortHash(segment)}`);
  return byteLength(safe) <= maxBytes ? safe : cut(safe, maxBytes);
}

function hasBadEdge(text: string): boolean {
  return text !== '' && (EDGES.includes(text.charAt(0)) || EDGES.includes(text.charAt(text.length - 1)));
}

function cut(segment: string, maxBytes: number): string {
  const dot = segment.lastIndexOf('.');
  const ending = dot === -1 ? '' : segment.slice(dot);
  const kept = byteLength(ending) <= LONGEST_ENDING ? ending : '';
  const suffix = `-${shortHash(segment)}${kept}`;
  const room = maxBytes - byteLength(suffix);
  let stem = '';
  let used = 0;
  for (const character of segment.slice(0, segment.length - kept.length)) {
    used += byteLength(character);
    if (used > room) break;
    stem += character;
  }
  return stem + suffix;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function shortHash(text: string): string {
  // utf16le keeps lone surrogates distinct; UTF-8 would turn them all into the same character.
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 10);
}
