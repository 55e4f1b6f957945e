import { leadingRun } from '../text/edges';

/** What the check of a text found: its format, or why it is refused. */
export type TextVerdict = { ok: true; format: string } | { ok: false; what: string };

/** Formats that a text shows by itself. Anything else is plain text. */
const MARKED: ReadonlySet<string> = new Set(['vtt', 'srt', 'json']);

/**
 * Decides whether a file is the announced text. Sources: WebVTT (W3C) "WebVTT file body", RFC 8259, and for SubRip
 * what its players expect: a number, then a line with two times.
 *
 * @param wanted `vtt`, `srt`, `txt`, `json` or another format that the provider names; null when it names none
 * @param type the content type, without parameters and in lower case
 * @param page what kind of page the first bytes are, as `pageKind` returns it
 * @param head the first bytes, or the whole text
 */
export function checkText(
  wanted: string | null,
  { type, page }: { type: string; page: string | null },
  head: Uint8Array
): TextVerdict {
  if (page !== null && page !== JSON_PAGE) return { ok: false, what: `${page} arrived` };
  if (type === 'text/html' || type === 'application/xhtml+xml')
    return { ok: false, what: `content of the type "${type}" arrived` };
  if (isBinary(head)) return { ok: false, what: 'bytes arrived that are no text' };
  const text = startOf(head);
  // Behind so many, a page could follow that is not recognised.
  if (head.length >= MANY_BLANKS && text.trim() === '') return { ok: false, what: 'blanks arrived' };
  const isJson = page === JSON_PAGE && opensJson(text);
  if (isJson && isErrorDocument(text)) return { ok: false, what: 'a JSON text with an error arrived' };
  const shown = isJson ? 'json' : textFormat(text);
  if (wanted === null) return { ok: true, format: shown ?? 'txt' };
  // Text that looks like subtitles is text all the same; JSON in its place is an error that somebody reports.
  if (wanted === 'txt' && !isJson) return { ok: true, format: 'txt' };
  if (wanted === 'txt' || MARKED.has(wanted))
    return shown === wanted ? { ok: true, format: wanted } : { ok: false, what: `${nameOf(shown)} arrived` };
  return { ok: true, format: shown ?? 'txt' };
}

const MANY_BLANKS = 1000;

/** As `pageKind` calls it. */
const JSON_PAGE = 'a JSON text';

/** `[0:12] Hello` is speech with its time, although a list of numbers begins like that too. */
function opensJson(text: string): boolean {
  const [first, second] = text.slice(leadingRun(text, BLANKS));
  return first === '{' || (first === '[' && !/^[-\dtfn]$/.test(second ?? ''));
}

/** How a text that is wanted in some format is named in an error. */
export function wantedText(format: string | null): string {
  return format === null ? 'a text' : `a text in the format "${format}"`;
}

function nameOf(format: string | null): string {
  return format === null ? 'text in another format' : `a text in the format "${format}"`;
}

/** @returns null for plain text */
function textFormat(text: string): 'vtt' | 'srt' | null {
  if (/^WEBVTT(?:[ \t\r\n]|$)/.test(text)) return 'vtt';
  return isSubRip(text) ? 'srt' : null;
}

const BLANKS = ' \t\r\n';
/** Characters of the number of a subtitle. */
const LONGEST_NUMBER = 9;

function isSubRip(text: string): boolean {
  const start = text.slice(leadingRun(text, BLANKS));
  const number = /^\d+/.exec(start.slice(0, LONGEST_NUMBER))?.[0] ?? '';
  if (number === '') return false;
  const rest = start.slice(number.length);
  const times = rest.slice(leadingRun(rest, BLANKS));
  return /^\d{1,3}:\d{2}:\d{2}[,.]\d{1,3} ?-->/.test(times);
}

/** The fields with which APIs and gateways begin an error, or that a short one has anywhere. */
function isErrorDocument(text: string): boolean {
  const start = text.slice(leadingRun(text, BLANKS));
  if (!start.startsWith('{')) return false;
  const whole = parsed(text);
  if (typeof whole === 'object' && whole !== null && isShortError(whole)) return true;
  const field = start.slice(1 + leadingRun(start.slice(1), BLANKS));
  return /^"(?:error|errors|message|errormessage)"/i.test(field);
}

/** Names that errors have besides their message. */
const ERROR_CODES = ['code', 'status', 'statuscode', 'status_code'];

function isShortError(document: object): boolean {
  const given = Object.entries(document).filter(([, value]) => value !== null && value !== false);
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  const isTold = names.has('message') || names.has('detail');
  return names.has('error') || names.has('errors') || (isTold && ERROR_CODES.some((name) => names.has(name)));
}

/** @returns undefined when it is no JSON, or only its beginning */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Control characters that no text has. */
function isBinary(head: Uint8Array): boolean {
  return head.some(
    (byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d && byte !== 0x1b
  );
}

function startOf(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Whether a JSON text can end like this: what it opens first is closed last, and a short one is read. A part of one
 * that was sent as if it were all is recognised by that.
 *
 * @param head its first bytes, or all
 * @param last its last bytes
 * @param size of the whole text in bytes
 */
export function endsJson(head: Uint8Array, last: Uint8Array, size: number): boolean {
  const beginning = startOf(head);
  if (size <= head.length) return parsed(beginning) !== undefined;
  const ending = Buffer.from(last.buffer, last.byteOffset, last.byteLength).toString('latin1').trimEnd();
  return ending.endsWith(beginning.trimStart().startsWith('[') ? ']' : '}');
}
