import { CodedError } from '../../errors/coded-error';
import {
  type DeliveryContent,
  type DeliveryParser,
  type WebhookMessage,
  webhookMessage
} from '../../events/build-event';
import type { AcceptanceDeps, AcceptanceSettings } from './delivery-acceptance';
import { type Exchange, type FlowAnswer, PendingReplies } from './flow-reply';

/** Milliseconds that a person waits for the answer of a flow, however long a provider would. */
const LONGEST_WAIT_MS = 30_000;

export interface SampleSenderDeps extends Pick<AcceptanceDeps, 'emit' | 'isFlowThere' | 'onLateAnswer'> {
  parse: DeliveryParser;
  now: () => number;
}

/** What a sample is made of. */
export interface Sample {
  /** The event's id. */
  id: string;
  content: DeliveryContent;
  /** For the flow to answer. */
  exchange: () => Exchange;
}

export interface SentSample {
  message: WebhookMessage;
  /** What the flow answered; null when this node answers itself. */
  answer: FlowAnswer | 'none-in-time' | null;
  /** Milliseconds that the flow had. */
  waitMs: number;
}

/**
 * Sends samples through a webhook node: the flow gets the message that a real delivery would make. Nobody signed it, and
 * it is neither logged nor remembered nor counted, so that it never passes for a delivery.
 */
export class SampleSender {
  readonly #settings: Pick<AcceptanceSettings, 'reply'>;
  readonly #deps: SampleSenderDeps;
  readonly #replies: PendingReplies;
  readonly #waitMs: number;
  #isClosed = false;

  constructor(settings: Pick<AcceptanceSettings, 'reply' | 'replyTimeoutMs'>, deps: SampleSenderDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#waitMs = Math.min(settings.replyTimeoutMs, LONGEST_WAIT_MS);
    this.#replies = new PendingReplies(this.#waitMs);
  }

  /**
   * Resolves when the flow has answered, or at once where it does not answer.
   *
   * @throws CodedError `NOT_RECORDED` during a deploy; `UNPARSABLE_BODY` as the parser says
   */
  async send({ id, content, exchange }: Sample): Promise<SentSample> {
    const { parse, now, emit, onLateAnswer, isFlowThere } = this.#deps;
    if (this.#isClosed || isFlowThere?.() === false)
      throw new CodedError('NOT_RECORDED', 'A deploy is under way. Try again in a moment.', {
        retryable: true
      });
    const parsed = parse(content);
    if (!parsed.ok) throw new CodedError(parsed.code, parsed.message);
    const facts = {
      id,
      receivedAt: now(),
      verified: null,
      keyIndex: null,
      duplicate: false,
      recovered: false
    };
    const message = webhookMessage(parsed.event, { ...facts, sample: true });
    const sent = { message, waitMs: this.#waitMs };
    const put = (flow: Exchange | null): void =>
      emit(message, content.rawBody, { exchange: flow, handOver: null });
    if (this.#settings.reply === 'at-once') {
      put(null);
      return { ...sent, answer: null };
    }
    const flow = exchange();
    const outcome = await this.#replies.ask({
      exchange: flow,
      put: () => put(flow),
      // Nothing repeats it.
      commit: () => Promise.resolve(),
      onTimedOut: () => undefined,
      onLate: () => onLateAnswer(message)
    });
    return { ...sent, answer: outcome.answer ?? 'none-in-time' };
  }

  /** Those that wait for an answer get none. */
  close(): void {
    this.#isClosed = true;
    this.#replies.withdraw();
  }
}
