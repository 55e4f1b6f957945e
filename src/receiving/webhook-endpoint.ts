import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebhookErrorCode } from '../errors/codes';
import type { DeliveryContent, DeliveryParser } from '../events/delivery-content';
import { deliveryIdentity } from '../events/delivery-identity';
import { webhookMessage, type WebhookMessage } from '../events/webhook-message';
import type { DeliveryVerifier } from '../verification/verdict';
import type { CapturedBody } from './captured-body';
import type { DeliveryReceiver } from './delivery-receiver';
import { FlowReply, type FlowAnswer, type ReplyOutcome } from './flow-reply';
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

/** Request and response of a delivery that the flow has to answer. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

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

/** How the first copy of a delivery ended, for the copies that wait for it. */
type FirstCopy =
  | { accepted: true; answer: FlowAnswer | null }
  | { accepted: false; status: number; answer: FlowAnswer | null };

interface Verified {
  message: WebhookMessage;
  record: AcceptedDelivery;
}

/**
 * One path's way from request to event: method, body, signature, parsing, duplicates, record, answer,
 * hand-over, in this order. Each refusal has its answer; nothing that is not verified reaches `emit`.
 */
export class WebhookEndpoint implements DeliveryReceiver {
  readonly #firstCopies = new Map<string, Promise<FirstCopy>>();
  readonly #replies = new Set<FlowReply>();
  #closed = false;

  constructor(
    private readonly settings: EndpointSettings,
    private readonly parts: EndpointParts
  ) {}

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
        const facts = { ...delivery, duplicate: false, recovered: true };
        this.parts.emit(webhookMessage(parsed.event, facts), delivery.rawBody, null);
      }
      done();
      count += 1;
      if (count % RECOVERED_IN_ONE_GO === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * From now on senders are asked to try again, and so are those who still wait for the flow. Resolves
   * when nothing is being recorded any more, so that a successor finds all that is left.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const reply of this.#replies) reply.withdraw();
    await Promise.allSettled(this.#firstCopies.values());
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
      record: { scope: this.settings.scope, id, receivedAt, verified, keyIndex, ...content }
    });
  }

  async #accept(request: IncomingMessage, response: ServerResponse, delivery: Verified): Promise<void> {
    const { id } = delivery.record;
    const running = this.#firstCopies.get(id);
    const earlier = running === undefined ? this.parts.journal.find(this.settings.scope, id) : undefined;
    if (running === undefined && earlier === undefined) {
      const first = this.#firstCopy(request, response, delivery);
      this.#firstCopies.set(id, first);
      await first.finally(() => this.#firstCopies.delete(id));
      return;
    }
    const outcome: FirstCopy = running ? await running : { accepted: true, answer: earlier?.answer ?? null };
    if (!outcome.accepted) {
      if (outcome.answer === null) answer(request, response, outcome.status);
      else repeatAnswer(response, outcome.answer);
      return;
    }
    if (this.#isClosed()) {
      answer(request, response, 503);
      return;
    }
    if (this.settings.duplicates === 'drop') {
      if (outcome.answer === null) answer(request, response, 200);
      else repeatAnswer(response, outcome.answer);
      return;
    }
    delivery.message.event.duplicate = true;
    await this.#handOver(request, response, delivery, () => Promise.resolve());
  }

  /** A delivery that was not seen before, or whose earlier copies all failed. */
  async #firstCopy(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: Verified
  ): Promise<FirstCopy> {
    const { scope, id } = delivery.record;
    return this.#handOver(request, response, delivery, (given) =>
      this.parts.journal.remember(scope, id, given)
    );
  }

  async #handOver(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: Verified,
    commit: (given: FlowAnswer) => Promise<void>
  ): Promise<FirstCopy> {
    if (this.settings.reply === 'flow') return this.#askFlow(request, response, delivery, commit);
    if (delivery.message.event.duplicate) {
      answer(request, response, 200);
      this.parts.emit(delivery.message, delivery.record.rawBody, null);
      return { accepted: true, answer: null };
    }
    let handOver: HandOver;
    try {
      handOver = await this.parts.journal.accept(delivery.record);
    } catch (fault) {
      this.#notRecorded(delivery.message, fault);
      answer(request, response, 503);
      return { accepted: false, status: 503, answer: null };
    }
    answer(request, response, 200);
    if (this.#isClosed()) {
      handOver.leave();
    } else {
      this.parts.emit(delivery.message, delivery.record.rawBody, null);
      handOver.done();
    }
    return { accepted: true, answer: null };
  }

  #askFlow(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: Verified,
    commit: (given: FlowAnswer) => Promise<void>
  ): Promise<FirstCopy> {
    return new Promise((resolve) => {
      const reply = new FlowReply(response, {
        timeoutMs: this.settings.replyTimeoutMs,
        commit: async (given) => {
          try {
            await commit(given);
          } catch (fault) {
            this.#notRecorded(delivery.message, fault);
            throw fault;
          }
        },
        onSettled: (outcome) => {
          this.#replies.delete(reply);
          if (outcome.kind === 'timed-out') this.#timedOut(delivery.message);
          resolve(firstCopyOf(outcome));
        },
        onLate: () => this.parts.onLateAnswer(delivery.message)
      });
      this.#replies.add(reply);
      this.parts.emit(delivery.message, delivery.record.rawBody, { request, response });
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

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
}

function firstCopyOf(outcome: ReplyOutcome): FirstCopy {
  if (outcome.kind !== 'answered') return { accepted: false, status: 503, answer: null };
  const { answer: given } = outcome;
  if (given.status >= 200 && given.status < 300) return { accepted: true, answer: given };
  return { accepted: false, status: given.status, answer: given };
}
