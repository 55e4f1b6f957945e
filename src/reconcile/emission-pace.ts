import type { JobLoad } from '../archive/queue/jobs';
import { sleep } from '../clock/backoff';

/** Most due jobs that the download nodes are given: links work for ten minutes. */
export const MOST_DUE = 100;
/** Most jobs, including those that wait for another attempt. */
export const MOST_ORDERS = 1000;
/** A message takes a moment to become a job. */
const AT_ONCE = 25;
const MOMENT_MS = 50;
const LOOK_AGAIN_MS = 250;

/** Emits recordings no faster than the download nodes of this Node-RED accept them. */
export class EmissionPace {
  readonly #load: () => JobLoad | Promise<JobLoad>;
  readonly #onWaiting: (isWaiting: boolean) => void;
  #sent = 0;

  /** @param load of all download nodes */
  constructor(load: () => JobLoad | Promise<JobLoad>, onWaiting: (isWaiting: boolean) => void) {
    this.#load = load;
    this.#onWaiting = onWaiting;
  }

  /**
   * Resolves when the next one may be sent.
   *
   * @throws `signal.reason` when aborted; as `load` does
   */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#sent += 1;
    if (this.#sent % AT_ONCE !== 0) return;
    await sleep(MOMENT_MS, signal);
    if (!(await this.#isTooMuch())) return;
    this.#onWaiting(true);
    while (await this.#isTooMuch()) await sleep(LOOK_AGAIN_MS, signal);
    this.#onWaiting(false);
  }

  async #isTooMuch(): Promise<boolean> {
    const { due, all } = await this.#load();
    return due >= MOST_DUE || all >= MOST_ORDERS;
  }
}
