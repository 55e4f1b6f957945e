import { setImmediate as turn } from 'node:timers/promises';

export interface FairTurnsOptions {
  /** Tasks that run at once, at least 1. */
  atOnce: number;
  /** Of them, those of one owner. Default: all. */
  ofOwner?: number;
  /** Tasks that may wait. */
  waiting: number;
  /** What a task that may not even wait fails with. */
  full: () => Error;
}

/** Null: nobody has to say who they are, so all of these share. */
export type Owner = string | null;

interface Waiting {
  enter: () => void;
  refuse: () => void;
}

/**
 * Lets a limited number of tasks run, and another number wait, so that one owner of very many tasks keeps no other owner from
 * having theirs done: the owners take turns, and where too many tasks wait, those of the owner with the most are refused. Each
 * task begins in a turn of the event loop of its own, so that many short ones do not hold it up together.
 */
export class FairTurns {
  readonly #options: Required<FairTurnsOptions>;
  readonly #running = new Map<Owner, number>();
  /** The owner whose turn is next comes first. */
  readonly #waiting = new Map<Owner, Waiting[]>();
  #runs = 0;
  #waits = 0;

  constructor(options: FairTurnsOptions) {
    this.#options = { ofOwner: options.atOnce, ...options };
  }

  /**
   * Runs a task as soon as it is its turn.
   *
   * @throws the error of `full`, also while the task waits; `signal.reason` when aborted before it begins; whatever it throws
   */
  async run<Result>(
    owner: Owner,
    signal: AbortSignal,
    task: () => Promise<Result> | Result
  ): Promise<Result> {
    signal.throwIfAborted();
    if (this.#mayEnter(owner)) this.#enter(owner);
    else await this.#place(owner, signal);
    try {
      await turn();
      signal.throwIfAborted();
      return await task();
    } finally {
      this.#leave(owner);
    }
  }

  #mayEnter(owner: Owner): boolean {
    const { atOnce, ofOwner } = this.#options;
    return this.#runs < atOnce && (this.#running.get(owner) ?? 0) < ofOwner;
  }

  #enter(owner: Owner): void {
    this.#runs += 1;
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1);
  }

  #leave(owner: Owner): void {
    this.#runs -= 1;
    const left = (this.#running.get(owner) ?? 0) - 1;
    if (left > 0) this.#running.set(owner, left);
    else this.#running.delete(owner);
    for (const [next, [first]] of this.#waiting) {
      if (first === undefined || !this.#mayEnter(next)) continue;
      this.#remove(next, first);
      // To the end of the line.
      const others = this.#waiting.get(next);
      this.#waiting.delete(next);
      if (others !== undefined) this.#waiting.set(next, others);
      this.#enter(next);
      first.enter();
      return;
    }
  }

  /** Resolves when the task has its place. */
  #place(owner: Owner, signal: AbortSignal): Promise<void> {
    if (this.#waits >= this.#options.waiting) this.#makeRoom(owner);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#remove(owner, waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', stop);
          resolve();
        },
        refuse: () => {
          signal.removeEventListener('abort', stop);
          reject(this.#options.full());
        }
      };
      signal.addEventListener('abort', stop, { once: true });
      const mine = this.#waiting.get(owner);
      if (mine === undefined) this.#waiting.set(owner, [waiting]);
      else mine.push(waiting);
      this.#waits += 1;
    });
  }

  /** Refuses one of the owner with the most waiting tasks. @throws the error of `full` when that would be no fairer */
  #makeRoom(owner: Owner): void {
    let most = (this.#waiting.get(owner)?.length ?? 0) + 1;
    let from = owner;
    for (const [other, { length }] of this.#waiting) if (length > most) [most, from] = [length, other];
    const last = this.#waiting.get(from)?.at(-1);
    if (from === owner || last === undefined) throw this.#options.full();
    this.#remove(from, last);
    last.refuse();
  }

  #remove(owner: Owner, waiting: Waiting): void {
    const theirs = this.#waiting.get(owner) ?? [];
    theirs.splice(theirs.indexOf(waiting), 1);
    if (theirs.length === 0) this.#waiting.delete(owner);
    this.#waits -= 1;
  }
}
