import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { CodedError } from '../errors/coded-error';
import { Overdue } from './http-fault';

/** How the end of a body is recognised; `close`: by the end of the connection, which proves nothing. */
export type Framing = 'length' | 'chunked' | 'close';

/** A response, once its headers have arrived. The caller must read or destroy the body. */
export interface HttpResponse {
  /** From 200 to 599. */
  status: number;
  headers: IncomingHttpHeaders;
  framing: Framing;
  body: HttpBody;
}

/**
 * Headers that are meaningless when they appear twice with different values. Node would use the first, or join
 * both.
 */
const SINGLE = [
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'location',
  'transfer-encoding'
] as const;

/**
 * Reads the headers of an answer.
 *
 * @returns CodedError `LINK_REFUSED` when they are invalid or ambiguous
 */
export function readResponse(
  message: IncomingMessage,
  host: string
): Omit<HttpResponse, 'body'> | CodedError {
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599)
    return notUnderstood(
      host,
      `it sends the status ${String(status).padStart(3, '0')}, which does not exist`
    );
  const headers = { ...message.headers };
  for (const name of SINGLE) {
    const values = new Set(message.headersDistinct[name]?.map((value) => value.trim()));
    if (values.size > 1) return notUnderstood(host, `it sends several headers "${name}" that differ`);
    const [value] = values;
    if (value !== undefined) headers[name] = value;
  }
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding !== undefined && coding !== 'chunked' && coding !== 'identity')
    return notUnderstood(host, 'it sends in a way that was not asked for ("transfer-encoding")');
  const isEmpty = status === 204 || status === 304;
  const hasLength = isEmpty || headers['content-length'] !== undefined;
  const framing = coding === 'chunked' ? 'chunked' : hasLength ? 'length' : 'close';
  return { status, headers, framing };
}

function notUnderstood(host: string, what: string): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `${host} does not answer as a web server does: ${what}. Look at what answers at this address, and for a proxy in ` +
      'between that changes it.',
    { retryable: true }
  );
}

/** Bytes that may wait for the reader before the other side is held back. */
const MOST_WAITING_BYTES = 512 * 1024;
/** Chunks that may wait: each costs memory, however few bytes it has. */
const MOST_WAITING_CHUNKS = 512;
/** Smaller waiting chunks are joined into one. */
const SMALL_BYTES = 16 * 1024;

/** Milliseconds that are enough to read what has arrived already. */
const READING_MS = 200;

/**
 * Runs what judges that a deadline has passed. When the whole process was stopped for a while, as by `docker pause`, timers run
 * before what arrived meanwhile is read: bytes, or the end of the connection, which takes several turns of the event loop.
 */
export function afterReading(judge: () => void): void {
  setTimeout(judge, READING_MS);
}

/** A body that is arriving. Read it once, to its end or until `destroy`. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** Hangs up unless the body is complete. */
  destroy(): void;
}

export interface BodyOptions {
  /** Only the end of the connection ends it. */
  endsWithConnection: boolean;
  /** Longest wait for another byte, in milliseconds. */
  stallMs: number;
  /** Translates the error that broke off the body. */
  fault: (error: unknown) => unknown;
  /** Called when no more data will arrive, for whatever reason. */
  over: () => void;
}

/**
 * Reads the body of a response. It has its own queue, whose end is either known or an error.
 *
 * Only the time in which the reader waits counts towards the stall: the peer cannot send while a slow disk
 * makes it wait.
 */
export class ArrivingBody implements HttpBody {
  readonly #message: IncomingMessage;
  readonly #options: BodyOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #end: { error?: unknown } | undefined;
  #arrived: (() => void) | undefined;
  #stall: NodeJS.Timeout | undefined;
  /** How often the reader has waited. */
  #arrivals = 0;

  constructor(message: IncomingMessage, options: BodyOptions) {
    this.#message = message;
    this.#options = options;
    // Read now, because the message drops its socket at its end.
    const { socket } = message;
    message.on('data', (chunk: Buffer) => this.#take(chunk));
    message.on('end', () => {
      // The parser mistakes the end of a broken connection for that of the body. Before Node.js 24 the system may
      // report a broken connection as ended, so only its content can prove that such a body is complete.
      const isTorn = options.endsWithConnection && socket.errored !== null;
      if (message.complete && !isTorn) this.#finish({});
      else this.fail(premature());
    });
    message.on('error', (error) => this.fail(error));
    message.on('close', () => {
      if (this.#end === undefined) this.#finish({ error: options.fault(premature()) });
    });
  }

  /** The connection broke. Bytes that arrived before can still be read. */
  fail(error: unknown): void {
    // Whatever comes after the last byte concerns the next exchange.
    if (this.#message.complete && !this.#options.endsWithConnection) return;
    this.#finish({ error: this.#options.fault(error) });
  }

  /** Aborts the body immediately, with an error that is thrown unchanged. */
  abort(reason: unknown): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    // Even when it has arrived completely: the rest is not needed.
    this.#end = undefined;
    this.#finish({ error: reason });
    this.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#next();
        if (chunk !== undefined) yield chunk;
        else if (this.#end === undefined) await this.#arrival();
        else if ('error' in this.#end) throw this.#end.error;
        else return;
      }
    } finally {
      this.destroy();
    }
  }

  destroy(): void {
    clearTimeout(this.#stall);
    this.#waiting = [];
    // This must never look like the end of a complete body.
    if (this.#end === undefined) this.#finish({ error: new Error('the reader hung up') });
    // A complete one is read to its end, so that the connection can be used again.
    if (this.#message.complete) this.#message.resume();
    else this.#message.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= MOST_WAITING_BYTES || this.#waiting.length >= MOST_WAITING_CHUNKS) {
      this.#isPaused = true;
      this.#message.pause();
    }
    this.#wake();
  }

  #next(): Buffer | undefined {
    const first = this.#waiting[0];
    if (first === undefined) return undefined;
    let chunk = first;
    if (first.length < SMALL_BYTES && this.#waiting.length > 1) {
      chunk = Buffer.concat(this.#waiting);
      this.#waiting = [];
    } else this.#waiting.shift();
    this.#waitingBytes -= chunk.length;
    if (this.#isPaused && this.#waitingBytes <= MOST_WAITING_BYTES / 2) {
      this.#isPaused = false;
      this.#message.resume();
    }
    return chunk;
  }

  async #arrival(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      this.#arrivals += 1;
      if (this.#stall === undefined) this.#stall = setTimeout(() => this.#late(), this.#options.stallMs);
      else this.#stall.refresh();
    });
  }

  #late(): void {
    const arrivals = this.#arrivals;
    afterReading(() => {
      if (this.#arrivals === arrivals) this.#stalled();
    });
  }

  #stalled(): void {
    if (this.#arrived === undefined) return;
    const { fault, stallMs } = this.#options;
    this.#finish({ error: fault(new Overdue(`no byte within ${stallMs / 1000} seconds`)) });
  }

  #finish(end: { error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#options.over();
    this.#wake();
  }

  #wake(): void {
    this.#arrived?.();
    this.#arrived = undefined;
  }
}

function premature(): Error {
  return Object.assign(new Error('the other side closed it'), { code: 'ECONNRESET' });
}
