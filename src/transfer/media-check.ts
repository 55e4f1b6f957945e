import type { MediaKind } from '../recording/recording-reference';
import { leadingRun } from '../text/edges';
import { checkText, wantedText } from './text-check';

export type MediaVerdict = { ok: true; format: string } | { ok: false; code: 'NOT_MEDIA'; message: string };

/** How many first bytes the check needs; fewer only when the file is shorter. */
export const HEAD_BYTES = 1024;

const AUDIO_AND_VIDEO = new Set('mp3 wav mp2 aac ogg flac amr m4a mp4 webm mkv 3gp mov'.split(' '));

/** Media of one kind may arrive as any of these; a fax as a picture is still the fax. */
const FORMATS: Record<Exclude<MediaKind, 'attachment' | 'text'>, ReadonlySet<string>> = {
  audio: AUDIO_AND_VIDEO,
  video: AUDIO_AND_VIDEO,
  track: AUDIO_AND_VIDEO,
  fax: new Set(['pdf', 'tiff'])
};

const WANTED: Record<Exclude<MediaKind, 'text'>, string> = {
  audio: 'an audio file',
  video: 'a video or audio file',
  track: 'an audio or video track',
  fax: 'a fax (PDF or TIFF)',
  attachment: 'a message attachment'
};

/** Formats of attachments without a known signature, by content type. */
const ATTACHMENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['text/plain', 'txt'],
  ['text/vcard', 'vcf'],
  ['text/x-vcard', 'vcf'],
  ['text/calendar', 'ics'],
  ['text/csv', 'csv'],
  ['application/smil', 'smil'],
  ['application/rtf', 'rtf'],
  ['text/rtf', 'rtf'],
  ['audio/mpeg', 'mp3']
]);

/**
 * Decides from content type and first bytes whether a response is the announced media. The bytes
 * decide the format; an error page is refused whatever its content type or status.
 *
 * @param contentType as sent, or null
 * @param head the first bytes (see `HEAD_BYTES`), or the whole body when it is shorter
 * @param wanted the format of a text, as announced; null if only its bytes show it
 */
export function checkMedia(
  kind: MediaKind,
  contentType: string | null,
  head: Uint8Array,
  wanted: string | null = null
): MediaVerdict {
  const media = kind === 'text' ? wantedText(wanted) : WANTED[kind];
  if (head.length === 0) return refusal(media, 'the response was empty');
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const page = pageKind(head);
  if (kind === 'text') {
    const verdict = checkText(wanted, { type, page }, head);
    return verdict.ok ? verdict : refusal(media, verdict.what);
  }
  const smil = kind === 'attachment' && (type === 'application/smil' || page === 'a SMIL document');
  if (smil) return { ok: true, format: 'smil' };
  if (page !== null) return refusal(media, `${page} arrived`);
  if (isPageType(type)) return refusal(media, `content of the type "${type}" arrived`);

  const signature = mediaSignature(head);
  if (kind === 'attachment') return { ok: true, format: signature ?? ATTACHMENT_TYPES.get(type) ?? 'bin' };
  if (signature === null)
    return refusal(media, `the first bytes are of no known format (content type "${shown(type)}")`);
  if (!FORMATS[kind].has(signature)) return refusal(media, `a file of the format "${signature}" arrived`);
  return { ok: true, format: signature };
}

function refusal(media: string, what: string): MediaVerdict {
  return {
    ok: false,
    code: 'NOT_MEDIA',
    message: `Expected ${media}, but ${what}. Nothing was stored. Open the recording at the provider to see whether it is there.`
  };
}

function isPageType(type: string): boolean {
  return (
    type === 'text/html' ||
    type === 'text/xml' ||
    type === 'application/xml' ||
    type === 'application/xhtml+xml' ||
    type === 'application/json' ||
    type === 'application/problem+json' ||
    type === 'text/json'
  );
}

function shown(type: string): string {
  return type === '' ? 'none' : type.slice(0, 60).replace(/[^\w.+/-]/g, '');
}

/**
 * What the first bytes of a file say it is. The names are the usual file extensions.
 * Sources: RFC 2361/RIFF, EBU Tech 3306 (RF64), ISO 11172-3 (MPEG audio frame header), ISO 14496-12
 * (`ftyp`), Matroska (EBML), RFC 3533 (Ogg), RFC 4867 (AMR), ISO 32000 (PDF), PNG, JFIF, GIF, WebP.
 *
 * @param head the first bytes; 512 are enough for every signature
 * @returns null when no signature matches
 */
export function mediaSignature(head: Uint8Array): string | null {
  for (const [format, matches] of SIGNATURES) if (matches(head)) return format;
  return isoBaseMedia(head) ?? mpegAudio(head);
}

const SIGNATURES: [string, (head: Uint8Array) => boolean][] = [
  ['wav', (head) => (has(head, 'RIFF') || has(head, 'RF64') || has(head, 'BW64')) && has(head, 'WAVE', 8)],
  ['webp', (head) => has(head, 'RIFF') && has(head, 'WEBP', 8)],
  ['mp3', (head) => has(head, 'ID3') && (head[3] ?? 0xff) < 0xff && (head[4] ?? 0xff) < 0xff],
  ['ogg', (head) => has(head, 'OggS')],
  ['flac', (head) => has(head, 'fLaC')],
  ['amr', (head) => has(head, '#!AMR\n') || has(head, '#!AMR-WB\n')],
  ['webm', (head) => has(head, '\x1a\x45\xdf\xa3') && includes(head, 'webm', 64)],
  ['mkv', (head) => has(head, '\x1a\x45\xdf\xa3')],
  ['pdf', (head) => includes(head, '%PDF-', 1024)],
  ['png', (head) => has(head, '\x89PNG\r\n\x1a\n')],
  ['jpg', (head) => has(head, '\xff\xd8\xff')],
  ['gif', (head) => has(head, 'GIF87a') || has(head, 'GIF89a')],
  ['bmp', (head) => has(head, 'BM') && has(head, '\0\0\0\0', 6)],
  ['tiff', (head) => has(head, 'II*\0') || has(head, 'MM\0*')],
  ['zip', (head) => has(head, 'PK\x03\x04')],
  ['vcf', (head) => has(head, 'BEGIN:VCARD')],
  ['ics', (head) => has(head, 'BEGIN:VCALENDAR')]
];

function isoBaseMedia(head: Uint8Array): string | null {
  if (!has(head, 'ftyp', 4)) return null;
  const brand = text(head, 8, 12);
  if (brand.startsWith('3gp') || brand.startsWith('3g2')) return '3gp';
  if (brand === 'M4A ' || brand === 'M4B ') return 'm4a';
  if (brand === 'qt  ') return 'mov';
  if (['heic', 'heix', 'mif1', 'msf1'].includes(brand)) return 'heic';
  if (brand === 'avif') return 'avif';
  return 'mp4';
}

/**
 * An MPEG audio frame header with no forbidden value: sync, version, layer, bit rate, sample rate. Layer I is
 * left out: no recorder uses it, and UTF-16 text also begins with `ff fe`.
 */
function mpegAudio(head: Uint8Array): string | null {
  const [first = 0, second = 0, third = 0xff] = head;
  if (head.length < 4 || first !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  if (layer === 0) return (second & 0xf6) === 0xf0 ? 'aac' : null; // ADTS has layer bits 00
  if (version === 1 || layer === 3) return null;
  const bitRate = third >> 4;
  const sampleRate = (third >> 2) & 3;
  // "Free format" (bit rate 0) has no length that a reader could follow; telephony never uses it.
  if (bitRate === 0 || bitRate === 15 || sampleRate === 3) return null;
  return layer === 1 ? 'mp3' : 'mp2';
}

/**
 * Sizes written by recorders that cannot seek back to correct them: zero, and the largest that fit, some less a
 * header.
 */
function isPlaceholder(size: number): boolean {
  return size === 0 || size >= 0xffff_f000 || (size >= 0x7fff_f000 && size <= 0x8000_1000);
}

/**
 * The size of the whole file as its own header states it, for bodies that come without a length.
 *
 * @returns bytes, or null when the format (or this file) does not state it
 */
export function sizeFromHeader(head: Uint8Array): number | null {
  if (head.length < 28) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (has(head, 'RIFF')) {
    const size = view.getUint32(4, true);
    return isPlaceholder(size) ? null : size + 8;
  }
  if ((has(head, 'RF64') || has(head, 'BW64')) && has(head, 'ds64', 12)) {
    const size = view.getBigUint64(20, true);
    return size > 0n && size < BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) + 8 : null;
  }
  return null;
}

/**
 * Whether the header of a file states more bytes than there are.
 *
 * @param size of the file in bytes
 */
export function lacksBytes(head: Uint8Array, size: number): boolean {
  const stated = sizeFromHeader(head);
  if (stated === null || size >= stated) return false;
  // Some recorders count the eight bytes before the field as well. Then their sound ends with the file.
  return stated - size > 8 || soundEnd(head) !== size;
}

/** Where the sound of a WAV file ends as its `data` chunk states it; null when that is not in the head. */
function soundEnd(head: Uint8Array): number | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 12; at + 8 <= head.length;) {
    const size = view.getUint32(at + 4, true);
    if (has(head, 'data', at)) return at + 8 + size;
    // Chunks begin at even positions.
    at += 8 + size + (size & 1);
  }
  return null;
}

function has(head: Uint8Array, signature: string, at = 0): boolean {
  return text(head, at, at + signature.length) === signature;
}

function includes(head: Uint8Array, signature: string, within: number): boolean {
  return text(head, 0, within).includes(signature);
}

function text(head: Uint8Array, from: number, to: number): string {
  return Buffer.from(head.subarray(from, to)).toString('latin1');
}

/** As the tables of HTML and XML have it. */
const BLANKS = ' \t\n\r\f\v';

/** The start of a page, after its prolog. */
const HTML_ELEMENTS = ['html', 'head', 'body', 'title', 'script'];

const JSON_BEGINNING = /^[{[]\s*(?:["{[\]}]|-?\d|true\b|false\b|null\b)/;

/** Characters of the beginning that are looked at. */
const LONGEST_BEGINNING = 512;

/**
 * The kind of page that some bytes are, in any encoding that pages come in.
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

/** What may come before the first element, and how each of these ends. */
const PROLOGS = [
  ['<!--', '-->'],
  ['<?xml', '>'],
  ['<!doctype', '>']
] as const;

/** @returns where the first element should begin, and the declared document type; only scans forward */
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
