import type { WebhookErrorCode } from '../../errors/codes';
import { type RememberedId, type WebhookMessage, rememberedId } from '../../events/build-event';
import type { AcceptedDelivery, DeliveryJournal, HandOver } from '../journal/delivery-journal';
import type { Claimed, Identities } from '../journal/identities';
import { type CopyOutcome, type Exchange, type FlowAnswer, PendingReplies } from './flow-reply';
import { answer, repeatAnswer } from './http-responses';

export interface AcceptanceSettings {
  /** Node id; each node has its own memory. */
  scope: string;
  reply: 'at-once' | 'flow';
  replyTimeoutMs: number;
  duplicates: 'drop' | 'pass';
}

/** Until more is known, senders are asked to try again. */
const REFUSED: CopyOutcome = { accepted: false, status: 503, answer: null };

export interface AcceptanceDeps {
  journal: DeliveryJournal;
  identities: Identities;
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

/**
 * Accepts verified deliveries: duplicates, record, answer, hand-over. Only an accepted delivery is remembered, so that the
 * retry of a failed attempt is never dropped; a copy that arrives while the first is under way waits for it.
 */
export class DeliveryAcceptance {
  readonly #settings: AcceptanceSettings;
  readonly #deps: AcceptanceDeps;
  /** First copies that are under way, by identity. */
  readonly #firsts = new Map<string, Promise<unknown>>();
  /** Later copies that the flow gets as well. */
  readonly #others = new Set<Promise<unknown>>();
  readonly #questions: PendingReplies;
  #closed = false;

  constructor(settings: AcceptanceSettings, deps: AcceptanceDeps) {
    this.#settings = settings;
    this.#deps = deps;
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
    await Promise.allSettled([...this.#firsts.values(), ...this.#others]);
    await this.#deps.handedOver?.();
    // Node-RED may exit next. What the flow has must not be repeated at the next start.
    await this.#deps.journal.written();
  }

  /** As `WebhookEndpoint.isReceiving`. */
  isReceiving(id: string): boolean {
    return this.#firsts.has(textOf(id));
  }

  /** As `WebhookEndpoint.hold`. */
  hold(id: string, outcome: Promise<boolean>): void {
    const { identities } = this.#deps;
    const held = async (): Promise<void> => {
      const claim = await identities.claim(this.#settings.scope, id);
      // A delivery was faster; the caller has looked whether one is under way.
      if (claim.kind === 'mine')
        await claim.end((await outcome) ? { accepted: true, answer: null } : REFUSED);
    };
    // The memory cannot be read now, so nothing is accepted either.
    this.#first(id, held()).catch(() => undefined);
  }

  /** Answers the request, now or once the flow has. Rejects without an answer when the memory cannot be read. */
  async accept({ request, response }: Exchange, delivery: VerifiedDelivery): Promise<void> {
    const { record } = delivery;
    const id = rememberedId(record);
    // A delivery that the flow answers is remembered only after that; until then the sender still has it.
    if (this.#settings.reply === 'flow' && !this.#isFlowThere()) {
      answer(request, response, 503);
      return;
    }
    const asked = this.#deps.identities.claim(this.#settings.scope, id);
    // Within one process the answer is there at once, and no delivery waits for a turn.
    const claim = asked instanceof Promise ? await asked : asked;
    if (claim.kind === 'mine') {
      await this.#first(id, this.#acceptFirst({ request, response }, delivery, claim));
      return;
    }
    const outcome: CopyOutcome =
      claim.kind === 'accepted' ? { accepted: true, answer: claim.answer } : await claim.outcome;
    if (outcome.accepted && this.#settings.duplicates === 'pass') {
      const isAway = this.#settings.reply === 'flow' && !this.#isFlowThere();
      if (this.isClosed() || isAway) answer(request, response, 503);
      else await this.#tracked(this.#passOn({ request, response }, delivery));
      return;
    }
    if (outcome.answer !== null) repeatAnswer(response, outcome.answer);
    else answer(request, response, outcome.accepted ? 200 : outcome.status);
    if (outcome.accepted) this.#deps.onDropped?.(delivery.message);
  }

  #isFlowThere(): boolean {
    return this.#deps.isFlowThere?.() !== false;
  }

  async #acceptFirst(exchange: Exchange, delivery: VerifiedDelivery, claim: Claimed): Promise<void> {
    let outcome = REFUSED;
    try {
      if (this.isClosed()) answer(exchange.request, exchange.response, 503);
      else if (this.#settings.reply === 'at-once')
        outcome = await this.#acceptAtOnce(exchange, delivery, claim);
      else
        outcome = await this.#askFlow(exchange, delivery, async (given) => {
          await this.#deps.journal.answered(delivery.record, given);
          await claim.end({ accepted: true, answer: given });
        });
    } finally {
      const told = claim.end(outcome);
      if (told instanceof Promise) await told;
    }
  }

  /** @param claim null for a later copy */
  async #acceptAtOnce(
    { request, response }: Exchange,
    { message, record }: VerifiedDelivery,
    claim: Claimed | null
  ): Promise<CopyOutcome> {
    let handOver: HandOver;
    try {
      handOver = await this.#deps.journal.accept(record);
    } catch (fault) {
      this.#notRecorded(message, fault);
      answer(request, response, 503);
      return REFUSED;
    }
    const told = claim?.end({ accepted: true, answer: null });
    if (told instanceof Promise) await told;
    answer(request, response, 200);
    if (this.isClosed()) {
      handOver.leave();
    } else {
      this.#deps.emit(message, record.rawBody, { exchange: null, handOver });
    }
    return { accepted: true, answer: null };
  }

  /** Sends a copy of an accepted delivery to the flow as well, marked as such; the first is remembered. */
  #passOn(exchange: Exchange, { message, record }: VerifiedDelivery): Promise<CopyOutcome> {
    message.event.duplicate = true;
    if (this.#settings.reply === 'flow')
      return this.#askFlow(exchange, { message, record }, () => Promise.resolve());
    return this.#acceptAtOnce(exchange, { message, record: { ...record, duplicate: true } }, null);
  }

  /** A first copy is under way. */
  async #first(id: RememberedId, work: Promise<void>): Promise<void> {
    const name = textOf(id);
    this.#firsts.set(name, work);
    try {
      await work;
    } finally {
      if (this.#firsts.get(name) === work) this.#firsts.delete(name);
    }
  }

  async #tracked(work: Promise<unknown>): Promise<void> {
    this.#others.add(work);
    await work.finally(() => this.#others.delete(work));
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

function textOf(id: RememberedId): string {
  return typeof id === 'string' ? `=${id}` : `?${id.partial}`;
}
