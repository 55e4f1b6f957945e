/**
 * A signal that fires after a time, or when another signal fires.
 *
 * `AbortSignal.timeout` is no substitute: its timer does not keep the process running, and below
 * `AbortSignal.any` Node.js 20 lets the garbage collector take it, so that it never fires. Here the timer is
 * held and keeps the process running until `dispose`.
 */
export class TimeLimit {
  readonly #outer: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onOuter: () => void;
  #over = false;

  /** @param milliseconds until `signal` fires; @param outer fires it earlier, with its own reason */
  constructor(milliseconds: number, outer?: AbortSignal) {
    this.#outer = outer;
    this.#onOuter = () => this.#stop.abort(outer?.reason);
    this.#timer = setTimeout(() => {
      this.#over = true;
      this.#stop.abort(new DOMException(`${milliseconds} ms are over`, 'TimeoutError'));
    }, milliseconds);
    if (outer?.aborted === true) this.#onOuter();
    else outer?.addEventListener('abort', this.#onOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the time is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Ends the timer and releases the outer signal. Always call it. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuter);
  }
}
