import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { CodedError } from '../../../errors/coded-error';

/** The part of the SDK's requests that determines their responses. */
interface HttpRequest {
  method: string;
  query?: Readonly<Record<string, unknown>>;
  body?: unknown;
}

/** How much of a response is read, and for how long. */
export interface ResponseLimits {
  /** Bytes of a response that is not a file or a list: errors and receipts have a few hundred. */
  responseBytes: number;
  /** Bytes of a page of a list. */
  listBytes: number;
  /** Milliseconds from the request to the end of its response; more for what is sent, see `responseTime`. */
  responseMs: number;
  /**
   * Milliseconds that a store may take to put the parts of a file together. Large files take minutes at AWS.
   */
  completeMs: number;
  /** Bytes per second on average: a slower store only pretends to be alive. */
  slowestRate: number;
}

/** The SDK parses XML on the main thread, so what it is given must be parsed within 50 ms. */
export const ANSWER_LIMITS: ResponseLimits = {
  responseBytes: 32 * 1024,
  listBytes: 128 * 1024,
  responseMs: 60_000,
  completeMs: 600_000,
  slowestRate: 16 * 1024
};

/** Milliseconds that a transfer of this many bytes may take, including the response. */
export function responseTime(bytes: number, { responseMs: responseMs, slowestRate }: ResponseLimits): number {
  return responseMs + (bytes / slowestRate) * 1000;
}

/**
 * Limits the size and duration of each response that the AWS SDK reads to what an S3 store has reason to send.
 * The SDK would read any error to its end, and wait forever while a byte arrives now and then. The bytes of an
 * object are not read here: their reader sets the limit.
 */
export function limitResponses({ config }: S3Client, limits: ResponseLimits = ANSWER_LIMITS): void {
  const handler = config.requestHandler;
  const inner = handler.handle.bind(handler);
  handler.handle = async (request: HttpRequest, options = {}) => {
    const deadline = new Deadline(timeFor(request, limits));
    const { abortSignal: outside } = options as { abortSignal?: AbortSignal };
    const forward = (): void => deadline.abort();
    if (outside?.aborted === true) forward();
    outside?.addEventListener('abort', forward, { once: true });
    try {
      const handled = await deadline.outrun(inner(request, { ...options, abortSignal: deadline.signal }));
      const response = handled.response as { statusCode: number; body: unknown };
      const { statusCode, body } = response;
      const isFine = statusCode >= 200 && statusCode < 300;
      if (!(body instanceof Readable) || (isFine && isObjectRead(request))) return handled;
      const most = isFine && request.method === 'GET' ? limits.listBytes : limits.responseBytes;
      response.body = await deadline.outrun(readResponse(body, most, statusCode));
      return handled;
    } finally {
      deadline.end();
      outside?.removeEventListener('abort', forward);
    }
  };
}

/** Ends what takes too long. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.abort();
    }, milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller.abort();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** @throws CodedError when the time is over; an AbortError when aborted */
  async outrun<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let stop = (): void => undefined;
    const stopped = new Promise<never>((_resolve, reject) => {
      stop = () =>
        reject(this.#isOver ? tooSlow() : new DOMException('The request was aborted', 'AbortError'));
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
    // The work ends by the same signal; its result is then ignored.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, stopped]);
    } catch (error) {
      throw this.#isOver ? tooSlow() : error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

async function readResponse(body: Readable, most: number, status: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    size += piece.length;
    // Leaving the loop destroys the body and its connection.
    if (size > most) throw notAStore(`its answer (${status}) has more than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function timeFor(request: HttpRequest, limits: ResponseLimits): number {
  const { method, query = {}, body } = request;
  if (method === 'POST' && 'uploadId' in query) return limits.completeMs;
  return responseTime(body instanceof Uint8Array ? body.length : 0, limits);
}

function isObjectRead({ method, query }: HttpRequest): boolean {
  return method === 'GET' && query?.['x-id'] === 'GetObject';
}

export function tooSlow(): CodedError {
  return notAStore('its response never ends');
}

export function notAStore(what: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `The endpoint of the bucket does not answer as an S3 store does: ${what}. Check the endpoint, and what stands between ` +
      'it and this computer.',
    { retryable: true }
  );
}
