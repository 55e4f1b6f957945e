import type { WebhookErrorCode } from '../../errors/codes';
import { type RememberedId, type WebhookMessage, rememberedId } from '../../events/build-event';
import type { AcceptedDelivery, DeliveryJournal, HandOver } from '../journal/delivery-journal';
import type { Claim, Claimed, Identities } from '../journal/identities';
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
const ACCEPTED: CopyOutcome = { accepted: true, answer: null };

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
  readonly #firsts = new Map<string, object>();
  /** How many are under way: first copies, and later ones that the flow gets as well. */
  #underWay = 0;
  /** Who waits until none is. */
  readonly #waiting: (() => void)[] = [];
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
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
    // The memory cannot be read now, so nothing is accepted either.
    this.#hold(id, outcome).catch(() => undefined);
  }

  async #hold(id: string, outcome: Promise<boolean>): Promise<void> {
    const name = this.#beginFirst(id, outcome);
    try {
      const claim = await this.#deps.identities.claim(this.#settings.scope, id);
      // A delivery was faster; the caller has looked whether one is under way.
      if (claim.kind === 'mine') await claim.end((await outcome) ? ACCEPTED : REFUSED);
    } finally {
      this.#endFirst(name, outcome);
    }
  }

  /**
   * Answers the request, now or once the flow has. Throws or rejects, without an answer, when the memory cannot be read.
   *
   * Every delivery comes this way, so there is no more than one promise that waits for the disk.
   */
  accept(exchange: Exchange, delivery: VerifiedDelivery): Promise<void> {
    const id = rememberedId(delivery.record);
    // A delivery that the flow answers is remembered only after that; until then the sender still has it.
    if (this.#settings.reply === 'flow' && !this.#isFlowThere()) {
      answer(exchange.request, exchange.response, 503);
      return Promise.resolve();
    }
    const asked = this.#deps.identities.claim(this.#settings.scope, id);
    // Within one process the answer is there at once, and no delivery waits for a turn.
    return asked instanceof Promise
      ? asked.then((claim) => this.#acceptClaimed(exchange, delivery, claim))
      : this.#acceptClaimed(exchange, delivery, asked);
  }

  #acceptClaimed(exchange: Exchange, delivery: VerifiedDelivery, claim: Claim): Promise<void> {
    return claim.kind === 'mine'
      ? this.#acceptFirst(exchange, delivery, claim)
      : this.#acceptAgain(exchange, delivery, claim);
  }

  /** A first copy. */
  async #acceptFirst(exchange: Exchange, delivery: VerifiedDelivery, claim: Claimed): Promise<void> {
    const { message, record } = delivery;
    const name = this.#beginFirst(rememberedId(record), delivery);
    let outcome = REFUSED;
    try {
      if (this.isClosed()) answer(exchange.request, exchange.response, 503);
      else if (this.#settings.reply === 'flow')
        outcome = await this.#askFlow(exchange, delivery, async (given) => {
          await this.#deps.journal.answered(record, given);
          await claim.end({ accepted: true, answer: given });
        });
      else {
        let handOver: HandOver;
        try {
          handOver = await this.#deps.journal.accept(record);
        } catch (fault) {
          this.#refuse(exchange, message, fault);
          return;
        }
        outcome = ACCEPTED;
        const told = claim.end(outcome);
        if (told instanceof Promise) await told;
        this.#passOn(exchange, delivery, handOver);
      }
    } finally {
      const told = claim.end(outcome);
      if (told instanceof Promise) await told;
      this.#endFirst(name, delivery);
    }
  }

  /** A copy of a delivery that was accepted, or is under way. */
  async #acceptAgain(
    exchange: Exchange,
    delivery: VerifiedDelivery,
    claim: Exclude<Claim, Claimed>
  ): Promise<void> {
    const { request, response } = exchange;
    const outcome: CopyOutcome =
      claim.kind === 'accepted' ? { accepted: true, answer: claim.answer } : await claim.outcome;
    if (outcome.accepted && this.#settings.duplicates === 'pass') {
      const isAway = this.#settings.reply === 'flow' && !this.#isFlowThere();
      if (this.isClosed() || isAway) answer(request, response, 503);
      else await this.#acceptDuplicate(exchange, delivery);
      return;
    }
    if (outcome.answer !== null) repeatAnswer(response, outcome.answer);
    else answer(request, response, outcome.accepted ? 200 : outcome.status);
    if (outcome.accepted) this.#deps.onDropped?.(delivery.message);
  }

  /** Sends a copy of an accepted delivery to the flow as well, marked as such; the first is remembered. */
  async #acceptDuplicate(exchange: Exchange, { message, record }: VerifiedDelivery): Promise<void> {
    message.event.duplicate = true;
    this.#underWay += 1;
    try {
      if (this.#settings.reply === 'flow') {
        await this.#askFlow(exchange, { message, record }, () => Promise.resolve());
        return;
      }
      let handOver: HandOver;
      try {
        handOver = await this.#deps.journal.accept({ ...record, duplicate: true });
      } catch (fault) {
        this.#refuse(exchange, message, fault);
        return;
      }
      this.#passOn(exchange, { message, record }, handOver);
    } finally {
      this.#end();
    }
  }

  #isFlowThere(): boolean {
    return this.#deps.isFlowThere?.() !== false;
  }

  /** Answers a delivery that is on disk, and hands it over. */
  #passOn({ request, response }: Exchange, { message, record }: VerifiedDelivery, handOver: HandOver): void {
    answer(request, response, 200);
    if (this.isClosed()) handOver.leave();
    else this.#deps.emit(message, record.rawBody, { exchange: null, handOver });
  }

  #refuse({ request, response }: Exchange, message: WebhookMessage, fault: unknown): void {
    this.#notRecorded(message, fault);
    answer(request, response, 503);
  }

  /** @param token tells it from another one of the same name */
  #beginFirst(id: RememberedId, token: object): string {
    const name = textOf(id);
    this.#firsts.set(name, token);
    this.#underWay += 1;
    return name;
  }

  #endFirst(name: string, token: object): void {
    if (this.#firsts.get(name) === token) this.#firsts.delete(name);
    this.#end();
  }

  #end(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) for (const resolve of this.#waiting.splice(0)) resolve();
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
