import { readRange } from '../../http/byte-range';

/** What a request for media says; header names in lower case. */
type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** How a request for media is answered. */
export interface MediaAnswer {
  status: 200 | 206 | 304 | 416;
  headers: Record<string, string>;
  /** The bytes of the answer: the first, and the one behind the last. Null: none. */
  bytes: { start: number; end: number } | null;
}

/**
 * Decides what a request for a file gets (RFC 9110, 13 and 14). One range is served; several ranges, other units and
 * what cannot be read get the whole file, as the standard allows.
 *
 * @param size bytes of the file
 * @param etag strong, with its quotes
 */
export function mediaAnswer(
  headers: RequestHeaders,
  { size, etag }: { size: number; etag: string }
): MediaAnswer {
  const common = { etag, 'accept-ranges': 'bytes' };
  if (namesTag(textOf(headers['if-none-match']), etag)) return { status: 304, headers: common, bytes: null };
  const condition = textOf(headers['if-range']);
  // A date never matches: a file is known by its bytes only.
  const wanted = condition === undefined || condition === etag ? textOf(headers['range']) : undefined;
  const range = readRange(wanted, size);
  if (range.kind === 'unsatisfiable')
    return {
      status: 416,
      headers: { ...common, 'content-range': `bytes */${size}`, 'content-length': '0' },
      bytes: null
    };
  if (range.kind === 'whole')
    return {
      status: 200,
      headers: { ...common, 'content-length': String(size) },
      bytes: { start: 0, end: size }
    };
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...common,
      'content-range': `bytes ${start}-${end - 1}/${size}`,
      'content-length': String(end - start)
    },
    bytes: { start, end }
  };
}

const LONGEST_HEADER = 1000;

/** A header that is repeated or longer than any browser sends counts as absent. */
function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_HEADER ? value.trim() : undefined;
}

function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
