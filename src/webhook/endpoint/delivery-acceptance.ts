import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebhookErrorCode } from '../../errors/codes';
import type { WebhookMessage } from '../../events/webhook-message';
import { Deduplicator, type CopyOutcome } from './deduplicator';
import { PendingReplies, type Exchange } from './pending-replies';
import type { FlowAnswer } from './flow-reply';
import { answer, repeatAnswer } from './http-responses';
import {
  rememberedId,
  type AcceptedDelivery,
  type DeliveryJournal,
  type HandOver
} from '../journal/delivery-journal';

export interface AcceptanceSettings {
  /** Node id; keeps what two nodes remember apart. */
  scope: string;
  reply: 'at-once' | 'flow';
  replyTimeoutMs: number;
  duplicates: 'drop' | 'pass';
}

export interface AcceptanceParts {
  journal: DeliveryJournal;
  /** Whether the journal may be used now: not while another process owns it. Left out: always. */
  isOpen?: () => boolean;
  /** Hands an accepted event to the flow. Must not throw. */
  emit: (message: WebhookMessage, rawBody: Buffer, exchange: Exchange | null) => void;
  /** A fault of our own, for the log and Catch nodes; the sender was asked to try again. */
  onFault: (code: WebhookErrorCode, message: string, about: WebhookMessage | null, cause?: unknown) => void;
  /** The flow answered a delivery that was answered already; nothing came of it. */
  onLateAnswer: (about: WebhookMessage) => void;
}

/** A delivery whose signature fits, as the flow gets it and as it is recorded. */
export interface VerifiedDelivery {
  message: WebhookMessage;
  record: AcceptedDelivery;
}

/** What becomes of a verified delivery: duplicates, record, answer, hand-over. */
export class DeliveryAcceptance {
  readonly #settings: AcceptanceSettings;
  readonly #parts: AcceptanceParts;
  readonly #copies: Deduplicator;
  readonly #questions: PendingReplies;
  #closed = false;

  constructor(settings: AcceptanceSettings, parts: AcceptanceParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#copies = new Deduplicator(parts.journal, settings.scope);
    this.#questions = new PendingReplies(settings.replyTimeoutMs);
  }

  /** Whether everything that comes is to be answered 503. */
  isClosed(): boolean {
    return this.#closed || this.#parts.isOpen?.() === false;
  }

  /** As `WebhookEndpoint.close`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#questions.withdraw();
    await this.#copies.ended();
    // Node-RED may exit next. What the flow has must not come again at the next start.
    await this.#parts.journal.written();
  }

  /** As `WebhookEndpoint.isReceiving`. */
  isReceiving(id: string): boolean {
    return this.#copies.isUnderWay(id);
  }

  /** As `WebhookEndpoint.hold`. */
  hold(id: string, outcome: Promise<boolean>): void {
    const ended = outcome.then((accepted): CopyOutcome =>
      accepted ? { accepted, answer: null } : { accepted, status: 503, answer: null }
    );
    void this.#copies.first(id, () => ended);
  }

  /** Answers the request, now or once the flow has; rejects unanswered when the memory cannot be read. */
  async accept(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: VerifiedDelivery
  ): Promise<void> {
    const { scope } = delivery.record;
    const id = rememberedId(delivery.record);
    const earlier = this.#copies.earlier(id);
    if (earlier === undefined) {
      await this.#copies.first(id, () =>
        this.#settings.reply === 'flow'
          ? this.#askFlow({ request, response }, delivery, (given) =>
              this.#parts.journal.remember(scope, id, given)
            )
          : this.#acceptAtOnce(request, response, delivery)
      );
      return;
    }
    const outcome = await earlier;
    if (outcome.accepted && this.#settings.duplicates === 'pass') {
      if (this.isClosed()) answer(request, response, 503);
      else await this.#passOn(request, response, delivery);
      return;
    }
    if (outcome.answer !== null) repeatAnswer(response, outcome.answer);
    else answer(request, response, outcome.accepted ? 200 : outcome.status);
  }

  async #acceptAtOnce(
    request: IncomingMessage,
    response: ServerResponse,
    { message, record }: VerifiedDelivery
  ): Promise<CopyOutcome> {
    let handOver: HandOver;
    try {
      handOver = await this.#parts.journal.accept(record);
    } catch (fault) {
      this.#notRecorded(message, fault);
      answer(request, response, 503);
      return { accepted: false, status: 503, answer: null };
    }
    answer(request, response, 200);
    if (this.isClosed()) {
      handOver.leave();
    } else {
      this.#parts.emit(message, record.rawBody, null);
      handOver.done();
    }
    return { accepted: true, answer: null };
  }

  /** A copy of what was accepted goes to the flow as well, marked; it is remembered already. */
  async #passOn(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: VerifiedDelivery
  ): Promise<void> {
    delivery.message.event.duplicate = true;
    if (this.#settings.reply === 'flow') {
      await this.#askFlow({ request, response }, delivery, () => Promise.resolve());
      return;
    }
    answer(request, response, 200);
    this.#parts.emit(delivery.message, delivery.record.rawBody, null);
  }

  #askFlow(
    exchange: Exchange,
    { message, record }: VerifiedDelivery,
    commit: (given: FlowAnswer) => Promise<void>
  ): Promise<CopyOutcome> {
    return this.#questions.ask({
      exchange,
      put: () => this.#parts.emit(message, record.rawBody, exchange),
      commit: async (given) => {
        try {
          await commit(given);
        } catch (fault) {
          this.#notRecorded(message, fault);
          throw fault;
        }
      },
      onTimedOut: () => this.#timedOut(message),
      onLate: () => this.#parts.onLateAnswer(message)
    });
  }

  #timedOut(about: WebhookMessage): void {
    this.#parts.onFault(
      'REPLY_TIMEOUT',
      `Nothing in the flow answered this delivery within ${this.#settings.replyTimeoutMs / 1000} s; the sender got 503. ` +
        'Wire every branch to an http response node, or let this node answer at once.',
      about
    );
  }

  #notRecorded(about: WebhookMessage, cause: unknown): void {
    this.#parts.onFault(
      'NOT_RECORDED',
      'A delivery could not be written to disk; the sender was asked to try again. Look at the free space ' +
        "and the permissions of Node-RED's user directory.",
      about,
      cause
    );
  }
}
