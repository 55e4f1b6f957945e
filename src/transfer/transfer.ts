import { CodedError } from '../errors/coded-error';
import { OVERLAP_BYTES } from '../store/last-bytes';
import { type HeldBytes, nothingHeld, readHeldBytes, receiveBody } from './receive-body';
import { LINK_EXPIRED_TEXT, refusedResponse } from './refused-response';
import { checkAddress, hasExpired } from './source-address';
import {
  type SourceResponse,
  type TransferAgents,
  contentTypeOf,
  createTransferAgents,
  requestResponse
} from './source-request';
import type { TransferRequest, TransferResult } from './transfer-types';

export interface TransferDeps {
  /** Long-lived connection pools; without them the attempt makes its own and closes them. */
  agents?: TransferAgents;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Makes one attempt to bring a file into `request.into`, whole and checked. It neither suspends,
 * discards nor publishes the copy: the caller that retries decides that.
 *
 * | what happens                                                        | code             | retryable |
 * |---------------------------------------------------------------------|------------------|-----------|
 * | not https/public (also after a redirect, also once resolved)        | UNSAFE_URL       | no |
 * | s3://, gs://, Azure blob without signature                          | UNSUPPORTED_URL  | no |
 * | link over by its own dates (5 min. tolerance), or 400/401/403 saying so | LINK_EXPIRED | no: needs a fresh link |
 * | no connection, reset before headers, 408, 425, 5xx                  | LINK_REFUSED     | yes, obeys Retry-After |
 * | 404, S3 AccessDenied                                                | LINK_REFUSED     | yes, `linkInDoubt` |
 * | every other status, redirect without end                            | LINK_REFUSED     | no |
 * | 401 to a request with a key                                         | API_UNAUTHORIZED | no |
 * | 429, S3 SlowDown                                                    | RATE_LIMITED     | yes, obeys Retry-After, x-ratelimit-reset |
 * | connect, headers or body time-out                                   | STALLED          | yes |
 * | connection cut in the body; length, announced size or hash differ; end not provable | TRUNCATED | yes |
 * | HTML, XML, JSON, unknown bytes, compressed body                     | NOT_MEDIA        | no |
 * | empty body                                                          | NOT_MEDIA        | yes |
 * | larger than `maxSize`, declared or counted                          | TOO_LARGE        | no |
 * | the store cannot take it                                            | STORE_FAILED     | as the store says |
 *
 * A body without length and without end mark (HTTP/1.0) counts as complete only when the event
 * announced its size or its own header states it (WAV, RF64). One without length whose end is marked
 * (chunks) is incomplete when its own header states more than arrived.
 *
 * @throws CodedError as in the table; `signal.reason` when aborted
 */
export async function transfer(request: TransferRequest, deps: TransferDeps = {}): Promise<TransferResult> {
  const agents = deps.agents ?? createTransferAgents();
  try {
    return await attempt(request, agents, deps.now ?? Date.now);
  } finally {
    if (deps.agents === undefined) await agents.close();
  }
}

async function attempt(
  request: TransferRequest,
  agents: TransferAgents,
  now: () => number
): Promise<TransferResult> {
  request.signal.throwIfAborted();
  const { url } = checkAddress(request.url, request.network, agents.isPublic);
  if (request.isFresh !== true && hasExpired(url, now()))
    throw new CodedError('LINK_EXPIRED', LINK_EXPIRED_TEXT);

  const etag = strongEtag(request.resumeEtag);
  const resumable = etag !== null && canResume(request.into.size);
  const held = resumable ? await readHeldBytes(request.into, request.signal) : nothingHeld();
  const start = await firstResponse(request, agents, held, etag);
  if (start.response.status !== 200 && !start.resumed)
    throw await refusedResponse(start.response, request.authorization !== undefined, now());
  return await accept(request, start);
}

interface Start {
  response: SourceResponse;
  held: HeldBytes;
  resumed: boolean;
  /** Size of the whole file when resumed. */
  total: number | null;
}

async function firstResponse(
  request: TransferRequest,
  agents: TransferAgents,
  held: HeldBytes,
  etag: string | null
): Promise<Start> {
  if (held.size > 0 && etag !== null) {
    const response = await requestResponse(request, agents, resumeHeaders(held, etag));
    const judged = judgeResume(response, held, etag, request.resumeSize ?? request.expected?.size ?? null);
    if (judged.verdict === 'append') return { response: response, held, resumed: true, total: judged.total };
    if (judged.verdict !== 'again')
      return { response: response, held: nothingHeld(), resumed: false, total: null };
    response.body.destroy();
  }
  const response = await requestResponse(request, agents, {});
  return { response: response, held: nothingHeld(), resumed: false, total: null };
}

async function accept(request: TransferRequest, start: Start): Promise<TransferResult> {
  const { response: response, held, resumed } = start;
  const { headers, url } = response;
  const length = contentLength(response);
  const total = resumed ? start.total : length;
  try {
    refuseCompressed(response);
    // Only now: as long as the answer was not the file, the bytes held could still be of use.
    if (!resumed && request.into.size > 0) await request.into.restart();
    request.onValidator?.(strongEtag(headers.etag), total);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
  const format = await receiveBody(request, response, held, {
    total,
    endIsMarked: response.framing !== 'close',
    overlaps: resumed
  });
  const sha256 = held.hash.digest('hex');
  await refuseOtherHash(request, sha256);
  return {
    size: held.size,
    sha256,
    contentType: contentTypeOf(response),
    format,
    sourceHost: url.host,
    resumed
  };
}

/** `aws-chunked` is a leftover of the upload in the metadata of some stores; the bytes are plain. */
const PLAIN_ENCODINGS = new Set(['', 'identity', 'aws-chunked']);

function refuseCompressed({ headers, url }: SourceResponse): void {
  const encoding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  if (!PLAIN_ENCODINGS.has(encoding))
    throw new CodedError(
      'NOT_MEDIA',
      `Expected the file as it is, but ${url.host} sent it compressed although that was not asked for; its length and ` +
        'hash could not be checked. Look for a proxy that compresses.'
    );
}

function contentLength({ framing, headers }: SourceResponse): number | null {
  const length = headers['content-length'];
  return framing === 'length' && length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

async function refuseOtherHash(request: TransferRequest, sha256: string): Promise<void> {
  const announced = request.expected?.sha256 ?? null;
  if (announced === null || announced.toLowerCase() === sha256) return;
  await request.into.restart();
  throw new CodedError(
    'TRUNCATED',
    'The file is not what the event announced: its SHA-256 differs. It is fetched again from the start.',
    { retryable: true }
  );
}

/** Whether there is enough for an overlap; with less, starting over costs nothing. */
function canResume(held: number): boolean {
  return held >= OVERLAP_BYTES;
}

/**
 * The headers that resume where the held bytes end (RFC 9110, 13.1.5 and 14.2). The last 4 kB held are
 * asked for again: they show that the two pieces are of one file also where an ETag was used twice, and a file that
 * was complete already gives these bytes instead of 416, which says nothing about whether it is still the same file.
 */
function resumeHeaders(held: HeldBytes, etag: string): Record<string, string> {
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
function judgeResume(
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
