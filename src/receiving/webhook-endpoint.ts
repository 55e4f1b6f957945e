import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebhookErrorCode } from '../errors/codes';
import type { DeliveryContent, DeliveryParser } from '../events/delivery-content';
import { deliveryIdentity } from '../events/delivery-identity';
import type { VerifiedBy } from '../events/event';
import { webhookMessage, type WebhookMessage } from '../events/webhook-message';
import type { DeliveryVerifier } from '../verification/verdict';
import type { CapturedBody } from './captured-body';
import { DeliveryCopies, type CopyOutcome } from './delivery-copies';
import type { DeliveryReceiver } from './delivery-receiver';
import { FlowQuestions, type Exchange } from './flow-questions';
import type { FlowAnswer } from './flow-reply';
import { answer, repeatAnswer, STATUS_OF } from './http-answers';
import type { AcceptedDelivery, DeliveryJournal, HandOver } from './journal';
import { refusalOf, whyNoBytes, type Refusal } from './refusal';

/** Recovered messages that are sent before others get their turn. */
const RECOVERED_IN_ONE_GO = 50;

export interface EndpointSettings {
  /** Node id; keeps what two nodes remember apart. */
  scope: string;
  reply: 'at-once' | 'flow';
  replyTimeoutMs: number;
  duplicates: 'drop' | 'pass';
  /** Bytes. */
  maxBody: number;
  acceptGet: boolean;
}

export type { Exchange } from './flow-questions';

export interface EndpointParts {
  verifier: DeliveryVerifier;
  parse: DeliveryParser;
  journal: DeliveryJournal;
  /** Whether this is the provider's test of the address: answered 200 and not sent on. */
  isProbe?: (rawBody: Buffer) => boolean;
  /** Hands an accepted event to the flow. Must not throw. */
  emit: (message: WebhookMessage, rawBody: Buffer, exchange: Exchange | null) => void;
  onRefused: (refusal: Refusal) => void;
  /** A fault of our own, for the log and Catch nodes; the sender was asked to try again. */
  onFault: (code: WebhookErrorCode, message: string, about: WebhookMessage | null, cause?: unknown) => void;
  /** The flow answered a delivery that was answered already; nothing came of it. */
  onLateAnswer: (about: WebhookMessage) => void;
  now: () => number;
}

interface Verified {
  message: WebhookMessage;
  record: AcceptedDelivery;
}

/**
 * One path's way from request to event: method, body, signature, parsing, duplicates, record, answer,
 * hand-over, in this order. Each refusal has its answer; nothing that is not verified reaches `emit`.
 */
export class WebhookEndpoint implements DeliveryReceiver {
  readonly #copies: DeliveryCopies;
  readonly #questions: FlowQuestions;
  #closed = false;

  constructor(
    private readonly settings: EndpointSettings,
    private readonly parts: EndpointParts
  ) {
    this.#copies = new DeliveryCopies(parts.journal, settings.scope);
    this.#questions = new FlowQuestions(settings.replyTimeoutMs);
  }

  get maxBody(): number {
    return this.settings.maxBody;
  }

  get plain(): boolean {
    return this.settings.reply === 'at-once';
  }

  acceptsMethod(method: string): boolean {
    return method === 'POST' || (method === 'GET' && this.settings.acceptGet);
  }

  receive(request: IncomingMessage, response: ServerResponse, body: CapturedBody): void {
    this.#handle(request, response, body).catch((fault: unknown) => {
      this.parts.onFault(
        'NOT_RECORDED',
        'A delivery could not be handled; the sender will try again.',
        null,
        fault
      );
      answer(request, response, 503);
    });
  }

  /**
   * Hands over what was accepted before a crash, a restart or a redeploy and did not reach the flow.
   * Resolves when through; stops when the endpoint closes.
   */
  async recover(): Promise<void> {
    let count = 0;
    for (const { delivery, done, leave } of this.parts.journal.pending(this.settings.scope)) {
      if (this.#isClosed()) {
        leave();
        return;
      }
      const parsed = this.parts.parse(delivery);
      if (parsed.ok) {
        const id = deliveryIdentity(parsed.event, delivery);
        const facts = { ...delivery, id, duplicate: false, recovered: true };
        this.parts.emit(webhookMessage(parsed.event, facts), delivery.rawBody, null);
      }
      done();
      count += 1;
      if (count % RECOVERED_IN_ONE_GO === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * From now on senders are asked to try again, and so are those who still wait for the flow. Resolves
   * when all is on disk, so that a successor finds what is left and nothing else.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#questions.withdraw();
    await this.#copies.ended();
    // Node-RED may exit next. What the flow has must not come again at the next start.
    await this.parts.journal.written();
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse, body: CapturedBody): Promise<void> {
    const method = request.method ?? '';
    if (!this.acceptsMethod(method)) {
      const allow = this.settings.acceptGet ? 'GET, POST' : 'POST';
      const advice = method === 'GET' ? ' Switch "accept GET" on if this sender needs it.' : '';
      this.#refuse(request, response, 'METHOD_NOT_ALLOWED', `${allow} is accepted.${advice}`, {
        Allow: allow
      });
      return;
    }
    const rawBody = method === 'GET' ? Buffer.alloc(0) : body.kind === 'bytes' ? body.bytes : null;
    if (rawBody === null) {
      const reason = whyNoBytes(body.kind, this.maxBody);
      this.#refuse(request, response, reason.code, reason.message);
      return;
    }
    if (this.#isClosed()) {
      answer(request, response, 503);
      return;
    }
    if (this.parts.isProbe?.(rawBody) === true) {
      answer(request, response, 200);
      return;
    }

    const receivedAt = this.parts.now();
    const content: DeliveryContent = {
      rawBody,
      contentType: request.headers['content-type'],
      query: method === 'GET' ? queryOf(request) : null
    };
    const verdict = await this.parts.verifier.verify({
      rawHeaders: request.rawHeaders,
      receivedAt,
      ...content
    });
    if (!verdict.ok) {
      this.#refuse(request, response, verdict.code, verdict.message);
      return;
    }
    const parsed = this.parts.parse(content);
    if (!parsed.ok) {
      this.#refuse(request, response, parsed.code, parsed.message);
      return;
    }
    if (this.#isClosed()) {
      answer(request, response, 503);
      return;
    }

    const id = deliveryIdentity(parsed.event, content);
    const { verified, keyIndex } = verdict;
    const facts = { id, receivedAt, verified, keyIndex, duplicate: false, recovered: false };
    await this.#accept(request, response, {
      message: webhookMessage(parsed.event, facts),
      record: {
        scope: this.settings.scope,
        id: rememberedAs(id, verified),
        receivedAt,
        verified,
        keyIndex,
        ...content
      }
    });
  }

  async #accept(request: IncomingMessage, response: ServerResponse, delivery: Verified): Promise<void> {
    const { scope, id } = delivery.record;
    const earlier = this.#copies.earlier(id);
    if (earlier === undefined) {
      await this.#copies.first(id, () =>
        this.settings.reply === 'flow'
          ? this.#askFlow({ request, response }, delivery, (given) =>
              this.parts.journal.remember(scope, id, given)
            )
          : this.#acceptAtOnce(request, response, delivery)
      );
      return;
    }
    const outcome = await earlier;
    if (outcome.accepted && this.settings.duplicates === 'pass') {
      if (this.#isClosed()) answer(request, response, 503);
      else await this.#passOn(request, response, delivery);
      return;
    }
    if (outcome.answer !== null) repeatAnswer(response, outcome.answer);
    else answer(request, response, outcome.accepted ? 200 : outcome.status);
  }

  async #acceptAtOnce(
    request: IncomingMessage,
    response: ServerResponse,
    { message, record }: Verified
  ): Promise<CopyOutcome> {
    let handOver: HandOver;
    try {
      handOver = await this.parts.journal.accept(record);
    } catch (fault) {
      this.#notRecorded(message, fault);
      answer(request, response, 503);
      return { accepted: false, status: 503, answer: null };
    }
    answer(request, response, 200);
    if (this.#isClosed()) {
      handOver.leave();
    } else {
      this.parts.emit(message, record.rawBody, null);
      handOver.done();
    }
    return { accepted: true, answer: null };
  }

  /** A copy of what was accepted goes to the flow as well, marked; it is remembered already. */
  async #passOn(request: IncomingMessage, response: ServerResponse, delivery: Verified): Promise<void> {
    delivery.message.event.duplicate = true;
    if (this.settings.reply === 'flow') {
      await this.#askFlow({ request, response }, delivery, () => Promise.resolve());
      return;
    }
    answer(request, response, 200);
    this.parts.emit(delivery.message, delivery.record.rawBody, null);
  }

  #askFlow(
    exchange: Exchange,
    { message, record }: Verified,
    commit: (given: FlowAnswer) => Promise<void>
  ): Promise<CopyOutcome> {
    return this.#questions.ask({
      exchange,
      put: () => this.parts.emit(message, record.rawBody, exchange),
      commit: async (given) => {
        try {
          await commit(given);
        } catch (fault) {
          this.#notRecorded(message, fault);
          throw fault;
        }
      },
      onTimedOut: () => this.#timedOut(message),
      onLate: () => this.parts.onLateAnswer(message)
    });
  }

  #timedOut(about: WebhookMessage): void {
    this.parts.onFault(
      'REPLY_TIMEOUT',
      `Nothing in the flow answered this delivery within ${this.settings.replyTimeoutMs / 1000} s; the sender got 503. ` +
        'Wire every branch to an http response node, or let this node answer at once.',
      about
    );
  }

  #notRecorded(about: WebhookMessage, cause: unknown): void {
    this.parts.onFault(
      'NOT_RECORDED',
      'A delivery could not be written to disk; the sender was asked to try again. Look at the free space ' +
        "and the permissions of Node-RED's user directory.",
      about,
      cause
    );
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    code: WebhookErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {}
  ): void {
    answer(request, response, STATUS_OF[code], headers);
    this.parts.onRefused(refusalOf(request, code, message));
  }
}

/**
 * The identity of a GET whose query is not signed can be anybody's invention. It is remembered apart, so
 * that it never takes a signed event for its duplicate.
 */
function rememberedAs(id: string, verified: VerifiedBy): string {
  return verified === 'partial' ? `${verified} ${id}` : id;
}

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}
