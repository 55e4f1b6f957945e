import { OVERLAP_BYTES } from '../store/last-bytes';
import type { SourceResponse } from './source-response';
import type { HeldBytes } from './held-bytes';

/** Whether there is enough for an overlap; with less, starting over costs nothing. */
export function canResume(held: number): boolean {
  return held >= OVERLAP_BYTES;
}

/**
 * The headers that resume where the held bytes end (RFC 9110, 13.1.5 and 14.2). The last 4 kB held are
 * asked for again: they show that the two pieces are of one file also where an ETag was used twice, and a file that
 * was complete already gives these bytes instead of 416, which says nothing about whether it is still the same file.
 */
export function resumeHeaders(held: HeldBytes, etag: string): Record<string, string> {
  return { range: `bytes=${resumeStart(held)}-`, 'if-range': etag };
}

function resumeStart({ size, tail }: HeldBytes): number {
  return size - tail.length;
}

/** Whether an ETag vouches for every byte; weak ones do not, and cannot be sent in `If-Range`. */
export function strongEtag(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : null;
}

/**
 * What the answer to a resuming request means.
 * - `append`: 206 with exactly the wanted rest of the same file, up to its end
 * - `whole`: 200, the file changed or ranges are not served; its bytes replace the held ones
 * - `again`: anything that does not fit; to be asked for from the start
 * - `refused`: any other status
 *
 * @param size of the whole file as it was told before, by its first answer or the event, or null. The same file cannot have another one, and
 *   without any nothing would show that the part reaches to the end: a server may send less than asked for
 */
export function judgeResume(
  response: SourceResponse,
  held: HeldBytes,
  etag: string,
  size: number | null
): { verdict: 'append'; total: number } | { verdict: 'whole' | 'again' | 'refused' } {
  if (response.status === 200) return { verdict: 'whole' };
  if (response.status === 416) return { verdict: 'again' };
  if (response.status !== 206) return { verdict: 'refused' };
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(response.headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== resumeStart(held)) return { verdict: 'again' };
  // A server that forgets If-Range sends the rest of another file; its ETag tells.
  if (response.headers.etag !== etag) return { verdict: 'again' };
  const total = range[3] === '*' ? size : Number(range[3]);
  if (total === null || Number(range[2]) >= total) return { verdict: 'again' };
  if (size !== null && total !== size) return { verdict: 'again' };
  return { verdict: 'append', total };
}
