import type { FileKind, SearchEntry } from '../../archive/index/search-entries';
import { CodedError } from '../../errors/coded-error';
import { numberParts } from '../../text/number-parts';

/** What a user searches for. */
export interface ArchiveQuery {
  /** Any part of a number, an id or a name; empty: everything. */
  what: string;
  /** Milliseconds since 1970; null: no bound. `before` is not part of the span. */
  from: number | null;
  before: number | null;
  /** Empty: all. */
  provider: string;
  kind: FileKind | '';
  /** A part of the text of the recording; empty: any, even none. */
  text: string;
}

const LONGEST = 200;
const KINDS = new Set(['', 'audio', 'video', 'fax', 'text', 'other']);

/**
 * Reads a query.
 *
 * @param asked gives the values of a request by their names; untrusted
 * @throws CodedError `BAD_SETTING` that says what is wrong
 */
export function readQuery(asked: (name: string) => unknown): ArchiveQuery {
  const kind = readText(asked('kind'));
  if (!KINDS.has(kind)) throw new CodedError('BAD_SETTING', 'Choose one of the kinds of files.');
  return {
    what: readText(asked('what')),
    from: readTime(asked('from')),
    before: readTime(asked('before')),
    provider: readText(asked('provider')),
    kind: kind as FileKind | '',
    text: readText(asked('text'))
  };
}

function readText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && value.length <= LONGEST) return value.trim();
  throw new CodedError('BAD_SETTING', `Search for a text of at most ${LONGEST} characters.`);
}

function readTime(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new CodedError('BAD_SETTING', 'The dates of the search cannot be read. Choose them again.');
}

/**
 * Compiles what is asked of an entry. The span is not part of it: it is where the search begins and ends. Numbers are
 * compared as `numberParts` says.
 */
export function entryMatcher({ what, provider, kind, text }: ArchiveQuery): (entry: SearchEntry) => boolean {
  const numbers = numberParts(what);
  const word = what.replace(/\s/g, ' ').toLowerCase();
  return (entry) =>
    (provider === '' || entry.provider === provider) &&
    (kind === '' || entry.kind === kind) &&
    (text === '' || entry.hasText) &&
    (word === '' || entry.words.includes(word) || numbers.some((part) => entry.numbers.includes(part)));
}

/** @returns whether a text holds what is searched for, whatever the case */
export function holdsText(content: string, { text }: Pick<ArchiveQuery, 'text'>): boolean {
  return content.toLowerCase().includes(text.toLowerCase());
}
