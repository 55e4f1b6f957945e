import { createHash } from 'node:crypto';
import { leadingRun, trailingRun } from '../text/edges';

/**
 * What no name may hold: control and format characters (incl. NUL, bidi overrides, zero-width), line
 * separators, lone surrogates, private use; what Windows refuses (`<>:"/\|?*`); and the characters that
 * look like a slash.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}<>:"/\\|?*\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c]/gu;

/** What Windows drops at the end of a name, and other systems hide or trip over at its beginning. */
const EDGES = '. ';

/** Device names of Windows; they count with any ending, and with blanks before it. */
const RESERVED =
  /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?=\.|$)/i;

/** Characters of a value that a name can show; of the others only the hash of all of them tells. */
const LONGEST_VALUE = 1024;

/** Bytes of an ending that survives when a name is cut. */
const LONGEST_ENDING = 12;

/**
 * Makes text from outside harmless inside a file name. What had to be changed gets a short hash of the
 * original, so that different values stay different.
 *
 * @returns non-empty text without path separators, without dots or blanks at its ends
 */
export function safeValue(value: string): string {
  // Unicode sorts the marks on one letter, which takes long for a thousand times a thousand of them.
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
  const begin = leadingRun(text, EDGES);
  const end = Math.max(begin, text.length - trailingRun(text, EDGES));
  return `${begin > 0 ? '_' : ''}${text.slice(begin, end)}${end < text.length ? '_' : ''}`;
}

/**
 * Makes one path segment, assembled from template text and safe values, acceptable to every file
 * system: never `.` or `..`, no dot or blank at the end, no Windows device name, not too long.
 *
 * @param maxBytes of UTF-8; a longer segment is cut at a character and gets a hash, its ending stays
 */
export function safeSegment(segment: string, maxBytes: number): string {
  const dropped = trailingRun(segment, EDGES);
  let safe = segment.slice(0, segment.length - dropped) + '_'.repeat(dropped);
  if (RESERVED.test(safe))
    safe = safe.replace(RESERVED, (device) => `${device.trimEnd()}-${shortHash(segment)}`);
  return byteLength(safe) <= maxBytes ? safe : cut(safe, maxBytes);
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
  // utf16le keeps lone surrogates apart, which UTF-8 would all turn into the same character.
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 10);
}
