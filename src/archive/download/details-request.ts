import { setMaxListeners } from 'node:events';
import { monotonicNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import type { RecordingDetails } from '../../recording/recording-details';
import type { RecordingReference } from '../../recording/recording-reference';
import type { ArchiveDeps } from '../archive-context';

/** How long a recording waits for its details, in milliseconds from when the API is asked. */
export const DETAILS_BUDGET_MS = 2000;

export interface TakenDetails {
  details: RecordingDetails;
  /** The API did not tell its part in time, and may do so later. */
  areLate: boolean;
}

/**
 * Asks the API for the details of one recording while its file is transferred. An API that is slow, or away, costs
 * the recording its details for now, and no more than a moment.
 */
export class DetailsRequest {
  readonly #reference: RecordingReference;
  readonly #deps: Pick<ArchiveDeps, 'completeDetails' | 'detailsBudgetMs'>;
  #asked: Promise<TakenDetails> | undefined;
  #askedAt = 0;
  readonly #stop = new AbortController();

  constructor(reference: RecordingReference, deps: Pick<ArchiveDeps, 'completeDetails' | 'detailsBudgetMs'>) {
    this.#reference = reference;
    this.#deps = deps;
  }

  /** Asks, unless that was done. */
  begin(signal: AbortSignal): void {
    void this.#begun(signal);
  }

  /**
   * What is known now, or when the budget is spent.
   *
   * @throws `signal.reason` when aborted, nothing else
   */
  async take(signal: AbortSignal): Promise<TakenDetails> {
    const asked = this.#begun(signal);
    const { detailsBudgetMs = DETAILS_BUDGET_MS } = this.#deps;
    const rest = Math.max(0, this.#askedAt + detailsBudgetMs - monotonicNow());
    let timer: NodeJS.Timeout | undefined;
    // What is there already comes before any timer.
    const late = new Promise<TakenDetails>((resolve) => {
      timer = setTimeout(() => resolve({ details: this.#reference.details, areLate: true }), rest);
    });
    try {
      const taken = await Promise.race([asked, late]);
      signal.throwIfAborted();
      if (taken.areLate)
        this.#stop.abort(new CodedError('STALLED', 'Its time is over.', { retryable: true }));
      return taken;
    } finally {
      clearTimeout(timer);
    }
  }

  #begun(signal: AbortSignal): Promise<TakenDetails> {
    if (this.#asked !== undefined) return this.#asked;
    this.#askedAt = monotonicNow();
    this.#asked = this.#ask(signal);
    // A caller that takes the details is told; none has to.
    this.#asked.catch(() => undefined);
    return this.#asked;
  }

  async #ask(signal: AbortSignal): Promise<TakenDetails> {
    const { details } = this.#reference;
    const { completeDetails } = this.#deps;
    if (completeDetails === undefined) return { details, areLate: false };
    signal.throwIfAborted();
    const abort = (): void => this.#stop.abort(signal.reason);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return { details: await completeDetails(this.#reference, this.#stop.signal), areLate: false };
    } catch (error) {
      signal.throwIfAborted();
      return { details, areLate: error instanceof CodedError && error.retryable };
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
