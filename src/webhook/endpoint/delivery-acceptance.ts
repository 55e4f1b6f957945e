import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebhookErrorCode } from '../../errors/codes';
import { type RememberedId, type WebhookMessage, rememberedId } from '../../events/build-event';
import type { AcceptedDelivery, DeliveryJournal, HandOver } from '../journal/delivery-journal';
import { type CopyOutcome, type Exchange, type FlowAnswer, PendingReplies } from './flow-reply';
import { answer, repeatAnswer } from './http-responses';

export interface AcceptanceSettings {
  /** Node id; each node has its own memory. */
  scope: string;
  reply: 'at-once' | 'flow';
  replyTimeoutMs: number;
  duplicates: 'drop' | 'pass';
}

/**
 * Recognises copies of a delivery. Only an accepted delivery is remembered, so that the retry of a failed
 * attempt is never dropped; a copy that arrives while the first is under way waits for it.
 */
class Deduplicator {
  readonly #journal: Pick<DeliveryJournal, 'find'>;
  readonly #scope: string;
  readonly #running = new Map<string, Promise<CopyOutcome>>();
  readonly #others = new Set<Promise<CopyOutcome>>();

  /** @param scope node id; each node has its own memory */
  constructor(journal: Pick<DeliveryJournal, 'find'>, scope: string) {
    this.#journal = journal;
    this.#scope = scope;
  }

  /**
   * How an earlier copy ended or will end; undefined when there was none, or all of them failed.
   *
   * @throws CodedError `NOT_RECORDED` when the memory cannot be read
   */
  earlier(id: RememberedId): CopyOutcome | Promise<CopyOutcome> | undefined {
    const running = this.#running.get(textOf(id));
    if (running !== undefined) return running;
    const remembered = this.#journal.find(this.#scope, id);
    return remembered && { accepted: true, answer: remembered.answer };
  }

  /** Processes the first copy of a delivery; others wait for its outcome. */
  async first(id: RememberedId, work: () => Promise<CopyOutcome>): Promise<void> {
    const outcome = work();
    const text = textOf(id);
    this.#running.set(text, outcome);
    try {
      await outcome;
    } finally {
      this.#running.delete(text);
    }
  }

  /** Processes a later copy that the flow gets as well. */
  async another(work: () => Promise<CopyOutcome>): Promise<void> {
    const outcome = work();
    this.#others.add(outcome);
    await outcome.finally(() => this.#others.delete(outcome));
  }

  /** Whether a first copy is under way. */
  isUnderWay(id: RememberedId): boolean {
    return this.#running.has(textOf(id));
  }

  /** Resolves when everything under way has ended, successfully or not. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#running.values(), ...this.#others]);
  }
}

function textOf(id: RememberedId): string {
  return typeof id === 'string' ? `=${id}` : `?${id.partial}`;
}

export interface AcceptanceDeps {
  journal: DeliveryJournal;
  /** Whether the journal may be used now, which it may not while another process owns it. Omitted: always. */
  isOpen?: () => boolean;
  /** Hands an accepted event to the flow. Must not throw. */
  emit: (message: WebhookMessage, rawBody: Buffer, extras: EmitExtras) => void;
  /** Whether the nodes that get the events exist, which they may not during a deploy. Omitted: always. */
  isFlowThere?: () => boolean;
  /** Resolves when all hand-overs have ended, once the endpoint emits nothing more. */
  handedOver?: () => Promise<void>;
  /** Reports a fault of our own to the log and Catch nodes; the sender was asked to try again. */
  onFault: (code: WebhookErrorCode, message: string, about: WebhookMessage | null, cause?: unknown) => void;
  /** Called with a copy of an accepted delivery, which the flow does not get. */
  onDropped?: (copy: WebhookMessage) => void;
  /** Called when the flow answers a delivery that is already answered; the answer is ignored. */
  onLateAnswer: (about: WebhookMessage) => void;
}

/** What accompanies an event to the flow. */
export interface EmitExtras {
  /** For the flow to answer; null when the sender already has an answer. */
  exchange: Exchange | null;
  /** Called with what becomes of the event; null when no hand-over is recorded. */
  handOver: HandOver | null;
}

/** A delivery with a valid signature, as the flow gets it and as it is recorded. */
interface VerifiedDelivery {
  message: WebhookMessage;
  record: AcceptedDelivery;
}

/** Accepts verified deliveries: duplicates, record, answer, hand-over. */
export class DeliveryAcceptance {
  readonly #settings: AcceptanceSettings;
  readonly #deps: AcceptanceDeps;
  readonly #copies: Deduplicator;
  readonly #questions: PendingReplies;
  #closed = false;

  constructor(settings: AcceptanceSettings, deps: AcceptanceDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#copies = new Deduplicator(deps.journal, settings.scope);
    this.#questions = new PendingReplies(settings.replyTimeoutMs);
  }

  /** Whether every delivery is to be answered with 503. */
  isClosed(): boolean {
    return this.#closed || this.#deps.isOpen?.() === false;
  }

  /** As `WebhookEndpoint.close`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#questions.withdraw();
    await this.#copies.ended();
    await this.#deps.handedOver?.();
    // Node-RED may exit next. What the flow has must not be repeated at the next start.
    await this.#deps.journal.written();
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

  /** Answers the request, now or once the flow has. Rejects without an answer when the memory cannot be read. */
  async accept(
    request: IncomingMessage,
    response: ServerResponse,
    delivery: VerifiedDelivery
  ): Promise<void> {
    const { record } = delivery;
    const id = rememberedId(record);
    // A delivery that the flow answers is remembered only after that; until then the sender still has it.
    if (this.#settings.reply === 'flow' && !this.#isFlowThere()) {
      answer(request, response, 503);
      return;
    }
    const earlier = this.#copies.earlier(id);
    if (earlier === undefined) {
      await this.#copies.first(id, () =>
        this.#settings.reply === 'flow'
          ? this.#askFlow({ request, response }, delivery, (given) =>
              this.#deps.journal.answered(record, given)
            )
          : this.#acceptAtOnce(request, response, delivery)
      );
      return;
    }
    const outcome = await earlier;
    if (outcome.accepted && this.#settings.duplicates === 'pass') {
      const isAway = this.#settings.reply === 'flow' && !this.#isFlowThere();
      if (this.isClosed() || isAway) answer(request, response, 503);
      else await this.#copies.another(() => this.#passOn(request, response, delivery));
      return;
    }
    if (outcome.answer !== null) repeatAnswer(response, outcome.answer);
    else answer(request, response, outcome.accepted ? 200 : outcome.status);
    if (outcome.accepted) this.#deps.onDropped?.(delivery.message);
  }

  #isFlowThere(): boolean {
    return this.#deps.isFlowThere?.() !== false;
  }

  async #acceptAtOnce(
    request: IncomingMessage,
    response: ServerResponse,
    { message, record }: VerifiedDelivery
  ): Promise<CopyOutcome> {
    let handOver: HandOver;
    try {
      handOver = await this.#deps.journal.accept(record);
    } catch (fault) {
      this.#notRecorded(message, fault);
      answer(request, response, 503);
      return { accepted: false, status: 503, answer: null };
    }
    answer(request, response, 200);
    if (this.isClosed()) {
      handOver.leave();
    } else {
      this.#deps.emit(message, record.rawBody, { exchange: null, handOver });
    }
    return { accepted: true, answer: null };
  }

  /** Sends a copy of an accepted delivery to the flow as well, marked as such; the first is remembered. */
  #passOn(
    request: IncomingMessage,
    response: ServerResponse,
    { message, record }: VerifiedDelivery
  ): Promise<CopyOutcome> {
    message.event.duplicate = true;
    if (this.#settings.reply === 'flow')
      return this.#askFlow({ request, response }, { message, record }, () => Promise.resolve());
    return this.#acceptAtOnce(request, response, { message, record: { ...record, duplicate: true } });
  }

  #askFlow(
    exchange: Exchange,
    { message, record }: VerifiedDelivery,
    commit: (given: FlowAnswer) => Promise<void>
  ): Promise<CopyOutcome> {
    return this.#questions.ask({
      exchange,
      put: () => this.#deps.emit(message, record.rawBody, { exchange, handOver: null }),
      commit: async (given) => {
        try {
          await commit(given);
        } catch (fault) {
          this.#notRecorded(message, fault);
          throw fault;
        }
      },
      onTimedOut: () => this.#timedOut(message),
      onLate: () => this.#deps.onLateAnswer(message)
    });
  }

  #timedOut(about: WebhookMessage): void {
    this.#deps.onFault(
      'REPLY_TIMEOUT',
      `Nothing in the flow answered this delivery within ${this.#settings.replyTimeoutMs / 1000} s; the sender got 503. ` +
        'Wire every branch to an http response node, or let this node answer at once.',
      about
    );
  }

  #notRecorded(about: WebhookMessage, cause: unknown): void {
    this.#deps.onFault(
      'NOT_RECORDED',
      'A delivery could not be written to disk; the sender was asked to try again. Look at the free space ' +
        "and the permissions of Node-RED's user directory.",
      about,
      cause
    );
  }
}
