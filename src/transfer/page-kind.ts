import { leadingRun } from '../text/edges';

/** As the tables of HTML and XML have it. */
const BLANKS = ' \t\n\r\f\v';

/** What a page begins with, its prolog aside. */
const HTML_ELEMENTS = ['html', 'head', 'body', 'title', 'script'];

const JSON_BEGINNING = /^[{[]\s*(?:["{[\]}]|-?\d|true\b|false\b|null\b)/;

/** Characters of a beginning that are looked at. */
const LONGEST_BEGINNING = 512;

/**
 * What kind of page some bytes are, in any of the encodings pages come in.
 *
 * @param head the first bytes; more than about 1,000 are not looked at
 * @returns null: not a page
 */
export function pageKind(head: Uint8Array): string | null {
  const beginning = asText(head.subarray(0, 4 * LONGEST_BEGINNING)).trimStart();
  const start = beginning.slice(0, LONGEST_BEGINNING).toLowerCase();
  if (JSON_BEGINNING.test(start)) return 'a JSON text';
  if (!start.startsWith('<')) return null;
  const { at, doctype } = afterProlog(start);
  if (opensElement(start, at, ['smil'])) return 'a SMIL document';
  if (doctype === 'html' || opensElement(start, at, HTML_ELEMENTS)) return 'an HTML page';
  return at > 0 || isElement(start) || PROLOGS.some(([opening]) => start.startsWith(opening))
    ? 'an XML page'
    : null;
}

/** What may stand before the first element, and how each of these ends. */
const PROLOGS = [
  ['<!--', '-->'],
  ['<?xml', '>'],
  ['<!doctype', '>']
] as const;

/** @returns where the first element should begin, and what the document says to be; walks ahead only */
function afterProlog(text: string): { at: number; doctype: string | null } {
  let at = 0;
  let doctype: string | null = null;
  for (;;) {
    const prolog = PROLOGS.find(([opening]) => text.startsWith(opening, at));
    if (prolog === undefined) return { at, doctype };
    const [opening, closing] = prolog;
    const begin = at + opening.length;
    if (opening === '<!doctype') doctype ??= wordAt(text, begin + blanksAt(text, begin));
    const end = text.indexOf(closing, begin);
    if (end === -1) return { at, doctype };
    at = end + closing.length;
    at += blanksAt(text, at);
  }
}

function blanksAt(text: string, at: number): number {
  return leadingRun(text.slice(at), BLANKS);
}

/** @returns the letters up to a blank or `>`; null when the text ends or something else comes first */
function wordAt(text: string, at: number): string | null {
  let end = at;
  while (isLetter(text.charCodeAt(end))) end += 1;
  return isEndOfName(text.charAt(end)) ? text.slice(at, end) : null;
}

function opensElement(text: string, at: number, names: readonly string[]): boolean {
  const name = text.startsWith('<', at) ? wordAt(text, at + 1) : null;
  return name !== null && names.includes(name);
}

function isEndOfName(character: string): boolean {
  return character === '>' || (character !== '' && BLANKS.includes(character));
}

/** Whether a text begins with a whole tag: `<name>`, `<name …>` or `<name/>`. */
function isElement(text: string): boolean {
  if (!isLetter(text.charCodeAt(1))) return false;
  let end = 2;
  while (isNameCharacter(text.charCodeAt(end))) end += 1;
  if (text.startsWith('>', end) || text.startsWith('/>', end)) return true;
  if (!isEndOfName(text.charAt(end))) return false;
  const closing = text.indexOf('>', end);
  const next = text.indexOf('<', end);
  return closing !== -1 && (next === -1 || closing < next);
}

function isLetter(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

/** Letters, digits and `_:.-`. */
function isNameCharacter(code: number): boolean {
  return isLetter(code) || (code >= 0x2d && code <= 0x3a && code !== 0x2f) || code === 0x5f;
}

function asText(head: Uint8Array): string {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return bytes.subarray(3).toString('latin1');
  // UTF-16, with or without its mark: every other byte of ASCII text is zero.
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return swapped(bytes.subarray(2));
  if (bytes[1] === 0 && bytes[3] === 0) return bytes.toString('utf16le');
  if (bytes[0] === 0 && bytes[2] === 0) return swapped(bytes);
  return bytes.toString('latin1');
}

function swapped(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}
