/** Runs actions on the same key one after the other; different keys do not wait for each other. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(action);
    // The next action waits for the end of this one, whether it succeeds or fails.
    const end = mine.catch(() => undefined);
    this.#last.set(key, end);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === end) this.#last.delete(key);
    }
  }
}

/**
 * Shares the runs of an action: callers that ask while it is running share the next run, which begins after
 * they asked. So no caller gets the result of a run that began before the request.
 */
export class CoalescedRuns {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #next = new Map<string, Promise<void>>();

  /**
   * @param key what the action applies to; different keys do not wait for each other
   * @param action the same for all callers with this key
   * @throws whatever the caller's run throws
   */
  run(key: string, action: () => Promise<void>): Promise<void> {
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const running = this.#running.get(key);
    if (running === undefined) return this.#begin(key, action);
    const mine = running.then(() => {
      this.#next.delete(key);
      return this.#begin(key, action);
    });
    this.#next.set(key, mine);
    return mine;
  }

  #begin(key: string, action: () => Promise<void>): Promise<void> {
    const run = action();
    const end = run
      .catch(() => undefined)
      .finally(() => {
        if (this.#running.get(key) === end) this.#running.delete(key);
      });
    this.#running.set(key, end);
    return run;
  }
}
