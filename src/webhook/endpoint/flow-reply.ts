import type { IncomingMessage, ServerResponse } from 'node:http';
import { retryAfter } from './http-responses';

/** An answer that the flow gave, kept so that a repeated delivery gets the same one. */
export interface FlowAnswer {
  status: number;
  contentType: string | null;
  body: Buffer;
}

/** How a copy of a delivery ended, for the copies that wait for it or come later. */
export type CopyOutcome =
  | { accepted: true; answer: FlowAnswer | null }
  | { accepted: false; status: number; answer: FlowAnswer | null };

/** The largest answer body that is kept; TeXML documents and dynamic variables are far smaller. */
const KEPT_BYTES = 256 * 1024;

export type ReplyOutcome =
  { kind: 'answered'; answer: FlowAnswer } | { kind: 'timed-out' | 'withdrawn' | 'not-recorded' };

export interface FlowReplyOptions {
  timeoutMs: number;
  /**
   * Commits a 2xx answer before it is sent. If that fails, the sender gets 503 instead and tries again
   * later.
   */
  commit: (answer: FlowAnswer) => Promise<void>;
  /** Called once, when the reply is settled. */
  onSettled: (outcome: ReplyOutcome) => void;
  /** Called when the flow answers something that is already answered. */
  onLate: () => void;
}

/** The methods by which a flow can change the response. */
const METHODS = [
  'setHeader',
  'appendHeader',
  'removeHeader',
  'writeHead',
  'flushHeaders',
  'write',
  'end'
] as const;

/**
 * Intercepts the flow's answer on the very response object that a core *http response* node uses. The
 * first complete answer is taken; a 2xx is committed before it is sent; a second or late answer is
 * ignored, without an exception in the flow. A sender that hangs up changes nothing: the flow's work
 * counts, and a waiting copy of the delivery gets the answer.
 */
export class FlowReply {
  readonly #response: ServerResponse;
  readonly #options: FlowReplyOptions;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #settled = false;
  readonly #timer: NodeJS.Timeout;
  /** Methods that earlier middleware may have put on the response itself, for example to save a session. */
  readonly #own: [name: (typeof METHODS)[number], own: PropertyDescriptor | undefined][];

  constructor(response: ServerResponse, options: FlowReplyOptions) {
    this.#response = response;
    this.#options = options;
    this.#timer = setTimeout(() => this.#refuse('timed-out'), options.timeoutMs);
    this.#timer.unref();
    this.#own = METHODS.map((name) => [name, Object.getOwnPropertyDescriptor(response, name)]);
    this.#listen();
  }

  /** Stops waiting because the node closes: the sender is asked to try again. */
  withdraw(): void {
    if (!this.#settled) this.#refuse('withdrawn');
  }

  #listen(): void {
    const response = this.#response;
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    response.write = (...args: unknown[]): boolean => {
      this.#keep(args);
      return write(...args);
    };
    response.end = (...args: unknown[]): ServerResponse => {
      assertSendable(response.statusCode, args[0]);
      this.#keep(args);
      this.#answered(args);
      return response;
    };
  }

  #keep([chunk, encoding]: unknown[]): void {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : chunk instanceof Uint8Array
          ? Buffer.from(chunk)
          : null;
    if (bytes === null) return;
    this.#size += bytes.length;
    if (this.#size <= KEPT_BYTES) this.#chunks.push(bytes);
  }

  #answered(args: unknown[]): void {
    this.#settle();
    const response = this.#response;
    const type = response.getHeader('content-type');
    const answer: FlowAnswer = {
      status: response.statusCode,
      contentType: typeof type === 'string' ? type : null,
      body: this.#size <= KEPT_BYTES ? Buffer.concat(this.#chunks) : Buffer.alloc(0)
    };
    const accepted = answer.status >= 200 && answer.status < 300;
    const send = (): void => {
      try {
        this.#onWire(() => (response.end as (...args: unknown[]) => unknown)(...args));
      } catch {
        // There is nobody left to report to. The broken connection makes the sender try again.
        response.destroy();
      }
      this.#options.onSettled({ kind: 'answered', answer });
    };
    this.#silence(answer.status);
    if (!accepted) return send();
    this.#options.commit(answer).then(send, () => {
      this.#sendTryAgain();
      this.#options.onSettled({ kind: 'not-recorded' });
    });
  }

  #refuse(kind: 'timed-out' | 'withdrawn'): void {
    this.#settle();
    this.#silence(503);
    this.#sendTryAgain();
    this.#options.onSettled({ kind });
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
  }

  #sendTryAgain(): void {
    this.#onWire(() => {
      const response = this.#response;
      if (response.headersSent) {
        // The flow has begun to write. Ending here would make half an answer look complete.
        response.destroy();
        return;
      }
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusCode = 503;
      response.setHeader('Retry-After', retryAfter());
      response.setHeader('Content-Length', '0');
      response.end();
    });
  }

  /** From now on, nothing that the flow does to the response has any effect. */
  #silence(status: number): void {
    const response = this.#response;
    const late = (): void => this.#options.onLate();
    const ignored = (): ServerResponse => response;
    const silent: Record<(typeof METHODS)[number], unknown> = {
      setHeader: ignored,
      appendHeader: ignored,
      removeHeader: ignored,
      writeHead: ignored,
      flushHeaders: ignored,
      write: () => {
        late();
        return true;
      },
      end: () => {
        late();
        return response;
      }
    };
    for (const name of METHODS) {
      Object.defineProperty(response, name, { configurable: true, writable: true, value: silent[name] });
    }
    Object.defineProperty(response, 'statusCode', { configurable: true, get: () => status, set: ignored });
  }

  /** Restores the response's own methods for one step, then silences it again. */
  #onWire(step: () => void): void {
    const response = this.#response;
    const status = response.statusCode;
    for (const [name, own] of this.#own) {
      if (own === undefined) Reflect.deleteProperty(response, name);
      else Object.defineProperty(response, name, own);
    }
    Object.defineProperty(response, 'statusCode', { configurable: true, writable: true, value: status });
    try {
      if (!response.destroyed && !response.writableEnded) step();
    } finally {
      this.#silence(response.statusCode);
    }
  }
}

/**
 * Throws what Node.js would throw only when the answer is sent, but in the flow, where a Catch node sees it.
 * The delivery can still be answered afterwards.
 */
function assertSendable(status: unknown, chunk: unknown): void {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 999) {
    throw new RangeError(`The HTTP status must be a whole number from 200 to 999; it is ${String(status)}.`);
  }
  const none = chunk === undefined || chunk === null || typeof chunk === 'function';
  if (!none && typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
    throw new TypeError(`An HTTP answer must be text or a Buffer; it is of type ${typeof chunk}.`);
  }
}

/** Request and response of a delivery that the flow is to answer. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** A delivery that the flow is to answer. */
interface Question {
  exchange: Exchange;
  /** Hands the delivery to the flow. */
  put: () => void;
  /** Commits a 2xx answer before it is sent. If that fails, the sender is asked to try again. */
  commit: (answer: FlowAnswer) => Promise<void>;
  onTimedOut: () => void;
  /** Called when the flow answers something that is already answered. */
  onLate: () => void;
}

/** The deliveries of one node that wait for the flow's answer. */
export class PendingReplies {
  readonly #timeoutMs: number;
  readonly #open = new Set<FlowReply>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @returns how the delivery ended; never rejects */
  ask({ exchange, put, commit, onTimedOut, onLate }: Question): Promise<CopyOutcome> {
    return new Promise((resolve) => {
      const reply = new FlowReply(exchange.response, {
        timeoutMs: this.#timeoutMs,
        commit,
        onSettled: (outcome) => {
          this.#open.delete(reply);
          if (outcome.kind === 'timed-out') onTimedOut();
          resolve(copyOutcomeOf(outcome));
        },
        onLate
      });
      this.#open.add(reply);
      put();
    });
  }

  /** Stops waiting: the senders are asked to try again. */
  withdraw(): void {
    for (const reply of this.#open) reply.withdraw();
  }
}

function copyOutcomeOf(outcome: ReplyOutcome): CopyOutcome {
  if (outcome.kind !== 'answered') return { accepted: false, status: 503, answer: null };
  const { answer } = outcome;
  if (answer.status >= 200 && answer.status < 300) return { accepted: true, answer };
  return { accepted: false, status: answer.status, answer };
}
