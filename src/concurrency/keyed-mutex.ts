/** Runs actions on the same key one after the other; different keys do not wait for each other. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(action);
    // Who comes next waits for the end, whether good or bad.
    const end = mine.catch(() => undefined);
    this.#last.set(key, end);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === end) this.#last.delete(key);
    }
  }
}
