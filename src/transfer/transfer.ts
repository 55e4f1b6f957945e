import { createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { httpFault } from '../http/http-fault';
import type { PartialCopy } from '../store/destination';
import { LastBytes } from '../store/last-bytes';
import { parseUrl } from '../values/fields';
import { HEAD_BYTES, checkMedia, lacksBytes, sizeFromHeader } from './media-check';
import type { OwnBucketLinks } from './own-storage';
import { endsJson } from './text-check';
import { LINK_EXPIRED_TEXT, refusedResponse } from './refused-response';
import {
  type SourceResponse,
  type TransferAgents,
  canResume,
  checkAddress,
  contentTypeOf,
  createTransferAgents,
  hasExpired,
  judgeResume,
  linkExpiry,
  policyFor,
  requestResponse,
  resumeHeaders,
  strongEtag
} from './source-request';
import type { HeldBytes, TransferRequest, TransferResult } from './transfer-types';

export interface TransferDeps {
  /** Long-lived connection pools; without them the attempt makes its own and closes them. */
  agents?: TransferAgents;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Makes one attempt to bring a file into `request.into`, whole and checked. It does not suspend,
 * discard or publish the copy: the caller that retries decides that.
 *
 * | what happens                                                        | code             | retryable |
 * |---------------------------------------------------------------------|------------------|-----------|
 * | not https/public (also after a redirect, also once resolved)        | UNSAFE_URL       | no |
 * | s3:// or gs:// outside of the chosen own bucket, Azure blob without signature | UNSUPPORTED_URL | no |
 * | link over by its own dates (5 min. tolerance), or 400/401/403 saying so | LINK_EXPIRED | no: needs a fresh link |
 * | no connection, reset before headers, 408, 425, 5xx                  | LINK_REFUSED     | yes, obeys Retry-After |
 * | 404, S3 AccessDenied                                                | LINK_REFUSED     | yes, `linkInDoubt` |
 * | every other status, redirect without end                            | LINK_REFUSED     | no |
 * | 401 to a request with a key                                         | API_UNAUTHORIZED | no |
 * | 429, S3 SlowDown                                                    | RATE_LIMITED     | yes, obeys Retry-After, x-ratelimit-reset |
 * | connect, headers or body time-out                                   | STALLED          | yes |
 * | connection cut in the body; length, announced size or hash differ; end not provable | TRUNCATED | yes |
 * | HTML, XML, JSON, unknown bytes, compressed body                     | NOT_MEDIA        | no |
 * | JSON text without its end                                           | TRUNCATED        | yes |
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
  wanted: TransferRequest,
  agents: TransferAgents,
  now: () => number
): Promise<TransferResult> {
  wanted.signal.throwIfAborted();
  const request = agents.own === null ? wanted : await withOwnSignature(wanted, agents.own, now());
  const { url } = checkAddress(request.url, policyFor(request.url, request, agents), agents.isPublic);
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

/** Signs the address of an object in the customer's own bucket, unless it has a signature that is still valid. */
async function withOwnSignature(
  request: TransferRequest,
  own: OwnBucketLinks,
  now: number
): Promise<TransferRequest> {
  const url = parseUrl(request.url);
  if (url !== null && linkExpiry(url) !== null && !hasExpired(url, now)) return request;
  const link = await own.signed(request.url);
  return link === null ? request : { ...request, url: link, isFresh: true };
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
    // Only now: until the answer was known to be the file, the held bytes could still be useful.
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

/** How the end of a body is recognised. */
interface BodyFrame {
  /** Size of the whole file, or null when the response does not say. */
  total: number | null;
  /** False for a body that ends with the connection (HTTP/1.0): its end proves nothing. */
  endIsMarked: boolean;
  /** The first bytes repeat the last held ones (a resumed transfer). */
  overlaps: boolean;
}

/**
 * Streams a body into the store: checks the first bytes before the first is written, hashes, counts,
 * and checks at the end that the file is complete.
 *
 * @param held the bytes before; updated
 * @returns the format that the first bytes show
 * @throws CodedError `NOT_MEDIA`, `TOO_LARGE`, `TRUNCATED`, `STALLED`, `STORE_FAILED`; the signal's reason when aborted
 */
export async function receiveBody(
  request: TransferRequest,
  response: SourceResponse,
  held: HeldBytes,
  frame: BodyFrame
): Promise<string> {
  const intake = new Intake(request, response, held, frame);
  try {
    refuseTooLarge(request.maxSize, frame.total ?? 0);
    for await (const chunk of response.body) {
      // Reading ahead may have filled a buffer before the abort reached the socket.
      request.signal.throwIfAborted();
      await intake.take(chunk);
    }
    return await intake.end();
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw httpFault(error, { phase: 'body', host: response.url.host, wanted: 'file' });
  } finally {
    response.body.destroy();
  }
}

/** One body on its way: holds back the first bytes until they are known to be media. */
class Intake {
  readonly #request: TransferRequest;
  readonly #response: SourceResponse;
  readonly #held: HeldBytes;
  readonly #frame: BodyFrame;
  #format: string | undefined;
  #waiting: Uint8Array[] = [];
  #waitingSize = 0;
  /** Held bytes that are still to be repeated. */
  #overlap: Uint8Array;
  /** The end of a text. */
  readonly #last: LastBytes | undefined;

  constructor(request: TransferRequest, response: SourceResponse, held: HeldBytes, frame: BodyFrame) {
    this.#request = request;
    this.#response = response;
    this.#held = held;
    this.#frame = frame;
    this.#overlap = frame.overlaps ? held.tail : new Uint8Array();
    if (request.kind === 'text') this.#last = new LastBytes(held.tail);
    // Held bytes have passed the check, but their format is still needed.
    if (held.size > 0) this.#format = this.#checked(held.head);
  }

  async take(received: Uint8Array): Promise<void> {
    const chunk = await this.#withoutOverlap(received);
    if (chunk.length === 0) return;
    refuseTooLarge(this.#request.maxSize, this.#held.size + this.#waitingSize + chunk.length);
    if (this.#format !== undefined) {
      await this.#keep(chunk);
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingSize += chunk.length;
    if (this.#waitingSize >= HEAD_BYTES) await this.#release();
  }

  async end(): Promise<string> {
    const format = this.#format ?? (await this.#release());
    const { size } = this.#held;
    const { total, endIsMarked } = this.#frame;
    const announced = this.#request.expected?.size ?? null;
    if (total !== null && size !== total) throw truncated(`${size} of ${total} bytes arrived`);
    if (total === null && !endIsMarked && size !== announced && size !== sizeFromHeader(this.#held.head))
      throw truncated(
        `the server neither states a length nor marks the end, so that nothing shows whether ${size} bytes are all`
      );
    if (announced !== null && size !== announced) {
      await this.#request.into.restart();
      throw truncated(`${size} bytes arrived, but the event announced ${announced}`);
    }
    // A server that sends in chunks may mark the end of a file of which it has only a part itself.
    if (total === null && size !== announced && lacksBytes(this.#held.head, size))
      throw truncated(
        `${size} bytes arrived, but its own header states ${sizeFromHeader(this.#held.head) ?? 'more'}`
      );
    if (
      this.#last !== undefined &&
      format === 'json' &&
      !endsJson(this.#held.head, this.#last.bytes(), size)
    ) {
      await this.#request.into.restart();
      throw truncated(`${size} bytes arrived, and the end of the JSON text is missing`);
    }
    return format;
  }

  async #release(): Promise<string> {
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#waitingSize = 0;
    const format = this.#checked(Buffer.concat(chunks).subarray(0, HEAD_BYTES));
    this.#format = format;
    await this.#request.onMedia?.({
      format,
      contentType: contentTypeOf(this.#response),
      size: this.#frame.total
    });
    for (const chunk of chunks) await this.#keep(chunk);
    return format;
  }

  async #keep(chunk: Uint8Array): Promise<void> {
    await this.#request.into.write(chunk).catch((error: unknown) => {
      if (error instanceof CodedError) throw error;
      throw new CodedError('STORE_FAILED', `The store did not take the bytes: ${rootCause(error)}.`, {
        cause: error,
        retryable: true
      });
    });
    addBytes(this.#held, chunk);
    this.#last?.add(chunk);
    this.#request.onProgress?.(this.#held.size, this.#frame.total);
  }

  #checked(head: Uint8Array): string {
    const { kind, textFormat } = this.#request;
    const verdict = checkMedia(kind, this.#response.headers['content-type'] ?? null, head, textFormat);
    if (verdict.ok) return verdict.format;
    // An empty answer is often a temporary fault; a page is what the link leads to.
    throw new CodedError(verdict.code, verdict.message, { retryable: head.length === 0 });
  }

  async #withoutOverlap(chunk: Uint8Array): Promise<Uint8Array> {
    const length = Math.min(this.#overlap.length, chunk.length);
    if (length === 0) return chunk;
    if (Buffer.compare(this.#overlap.subarray(0, length), chunk.subarray(0, length)) !== 0) {
      await this.#request.into.restart();
      throw truncated('the rest that arrived does not fit the part that was held');
    }
    this.#overlap = this.#overlap.subarray(length);
    return chunk.subarray(length);
  }
}

function truncated(what: string): CodedError {
  return new CodedError('TRUNCATED', `The file is not complete: ${what}. It was not stored.`, {
    retryable: true
  });
}

function refuseTooLarge(maxSize: number, size: number): void {
  if (maxSize > 0 && size > maxSize)
    throw new CodedError(
      'TOO_LARGE',
      `The file is larger than the ${maxSize} bytes that the recording download node allows. Raise its "Largest file".`
    );
}

export function nothingHeld(): HeldBytes {
  return { hash: createHash('sha256'), size: 0, head: Buffer.alloc(0), tail: Buffer.alloc(0) };
}

/**
 * Reads all held bytes again, so that the hash of a resumed file covers what is really there. A store that
 * cannot be read before the end (a bucket) uses what it remembers.
 *
 * @throws CodedError `STORE_FAILED`
 */
async function readHeldBytes(copy: PartialCopy, signal: AbortSignal): Promise<HeldBytes> {
  const remembered = copy.remembered?.();
  if (remembered !== undefined)
    return { ...remembered, head: Buffer.from(remembered.head.subarray(0, HEAD_BYTES)) };
  const held = nothingHeld();
  const last = new LastBytes();
  for await (const bytes of copy.read()) {
    signal.throwIfAborted();
    addBytes(held, bytes);
    last.add(bytes);
  }
  return { ...held, tail: last.bytes() };
}

function addBytes(held: HeldBytes, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  held.hash.update(bytes);
  if (held.head.length < HEAD_BYTES)
    held.head = Buffer.concat([held.head, bytes.subarray(0, HEAD_BYTES - held.head.length)]);
  held.size += bytes.length;
}
