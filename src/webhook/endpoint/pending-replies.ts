import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CopyOutcome } from './deduplicator';
import { FlowReply, type FlowAnswer, type ReplyOutcome } from './flow-reply';

/** Request and response of a delivery that the flow has to answer. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** One delivery that is put to the flow. */
export interface Question {
  exchange: Exchange;
  /** Hands the delivery to the flow. */
  put: () => void;
  /** Makes a 2xx answer count before it goes out. When it fails the sender is asked to try again. */
  commit: (answer: FlowAnswer) => Promise<void>;
  onTimedOut: () => void;
  /** The flow answered something that was answered already. */
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

  /** Waits no longer: the senders are asked to try again. */
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
