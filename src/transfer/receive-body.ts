import { type Hash, createHash } from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import { rootCause } from '../errors/root-cause';
import { httpFault } from '../http/http-fault';
import type { PartialCopy } from '../store/destination';
import { LastBytes } from '../store/last-bytes';
import { HEAD_BYTES, checkMedia, lacksBytes, sizeFromHeader } from './media-check';
import { type SourceResponse, contentTypeOf } from './source-request';
import type { TransferRequest } from './transfer-types';

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

  constructor(request: TransferRequest, response: SourceResponse, held: HeldBytes, frame: BodyFrame) {
    this.#request = request;
    this.#response = response;
    this.#held = held;
    this.#frame = frame;
    this.#overlap = frame.overlaps ? held.tail : new Uint8Array();
    // Bytes that are held have passed the check; their format is still wanted.
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
    // A server that sends in chunks may mark the end of what it got itself.
    if (total === null && size !== announced && lacksBytes(this.#held.head, size))
      throw truncated(
        `${size} bytes arrived, but its own header states ${sizeFromHeader(this.#held.head) ?? 'more'}`
      );
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
    this.#request.onProgress?.(this.#held.size, this.#frame.total);
  }

  #checked(head: Uint8Array): string {
    const verdict = checkMedia(this.#request.kind, this.#response.headers['content-type'] ?? null, head);
    if (verdict.ok) return verdict.format;
    // An empty answer is often a fault that passes; a page is what the link leads to.
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
  return new CodedError('TRUNCATED', `The file is not complete: ${what}. It is not stored like this.`, {
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

/** What is known of the bytes that the store holds already. */
export interface HeldBytes {
  hash: Hash;
  size: number;
  /** The first bytes, at most `HEAD_BYTES`. */
  head: Buffer;
  /** The last bytes that were held at the start, which a resumed transfer asks for again. */
  tail: Buffer;
}

export function nothingHeld(): HeldBytes {
  return { hash: createHash('sha256'), size: 0, head: Buffer.alloc(0), tail: Buffer.alloc(0) };
}

/**
 * Reads everything held once more, so that the hash of a resumed file covers what really is there.
 * A store that cannot be read before the end (a bucket) tells what it remembers.
 *
 * @throws CodedError `STORE_FAILED`
 */
export async function readHeldBytes(copy: PartialCopy, signal: AbortSignal): Promise<HeldBytes> {
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
