import type { FlowMessage, Send } from '../lib/node-red';

/** A message of this process whose job is under way. */
export interface PendingMessage {
  message: FlowMessage;
  send: Send;
  /** Ends the handling of the message, without or with an error. */
  end: (error: Error | null) => void;
}

/**
 * Messages beyond this number are not kept in memory: they go on from what is on disk, as after a restart.
 */
const MOST_LIVE = 10_000;

/** The messages that wait for their jobs, by the ids of these. */
export class PendingMessages {
  readonly #messages = new Map<string, PendingMessage>();

  add(jobId: string, live: PendingMessage): void {
    if (this.#messages.size < MOST_LIVE) this.#messages.set(jobId, live);
  }

  /** @returns undefined for a job of an earlier process; each message is given once */
  take(jobId: string): PendingMessage | undefined {
    const live = this.#messages.get(jobId);
    this.#messages.delete(jobId);
    return live;
  }

  clear(): void {
    this.#messages.clear();
  }
}
