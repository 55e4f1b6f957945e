import { type FileKind, type SearchEntry, digitsOf } from '../../archive/index/search-entries';
import { CodedError } from '../../errors/coded-error';

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

/** Fewer digits are part of nearly every number. */
const FEWEST_DIGITS = 3;

/**
 * Compiles what is asked of an entry. The span is not part of it: it is where the search begins and ends.
 *
 * Numbers are compared by their digits, so `+1 (555) 010-0199` finds `+15550100199`. Leading zeros, as in
 * `0555 010` or `001 555`, are prefixes for dialling that stored numbers do not have, so they may be missing.
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

/** @returns the digits to look for in a number; none when the text is no part of one */
function numberParts(what: string): string[] {
  if (!/^[\d\s+()./-]+$/.test(what)) return [];
  const digits = digitsOf(what);
  if (digits.length < FEWEST_DIGITS) return [];
  const significant = digits.replace(/^0+/, '');
  return significant.length >= FEWEST_DIGITS ? [...new Set([digits, significant])] : [digits];
}

/** @returns whether a text holds what is searched for, whatever the case */
export function holdsText(content: string, { text }: Pick<ArchiveQuery, 'text'>): boolean {
  return content.toLowerCase().includes(text.toLowerCase());
}
