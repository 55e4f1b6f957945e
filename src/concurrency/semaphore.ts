import { setMaxListeners } from 'node:events';

/** Lets a limited number of tasks run concurrently; the others wait in order of arrival. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param limit maximum number of concurrent tasks, at least 1 */
  constructor(limit: number) {
    this.#free = limit;
  }

  /**
   * Runs a task as soon as a place is free.
   *
   * @throws `signal.reason` when aborted while waiting; whatever the task throws
   */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#place(signal);
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  #place(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(enter);
      // Many may wait for the same signal; Node.js would warn of a leak, wrongly.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Passes the slot to the next in line, so that a newcomer cannot take it. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/**
 * Like `Promise.all(items.map(task))` with limited concurrency: waiting tasks cost time that grows with the
 * square of their number, in lists of listeners and in sums over all running tasks.
 *
 * @throws the error of the first failing task; starts no others after it
 */
export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  task: (item: Item) => Promise<Result>
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  let hasFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (hasFailed) return;
      try {
        results[index] = await task(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  return results;
}
