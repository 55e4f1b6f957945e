/** Milliseconds after which changes that can wait go to disk by themselves. */
const SOON_MS = 20;

/**
 * Changes of one transaction with several commits: thousands would block the event loop and all waiting
 * callers.
 */
const MOST_TOGETHER = 500;

/** Changes of one commit. With more, something is wrong with the caller. */
export const MOST_IN_ONE_COMMIT = 100_000;

/** One change of a collection, made inside a transaction. */
export interface StateChange {
  apply(): void;
}

interface Entry {
  changes: readonly StateChange[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers changes into transactions. While one is on its way to disk the next one fills, so that the
 * number of syncs follows the speed of the disk and not the number of changes.
 */
export class GroupCommit {
  readonly #transact: (changes: readonly StateChange[]) => Promise<unknown>;
  #waiting: Entry[] = [];
  #soon: Entry[] = [];
  #underWay: Promise<void> | undefined;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param transact makes the changes in one transaction; resolves when it is durable */
  constructor(transact: (changes: readonly StateChange[]) => Promise<unknown>) {
    this.#transact = transact;
  }

  /**
   * Durable when resolved; rejects when the disk did not take them. All of the changes are made, or none.
   *
   * @param changes at most `MOST_IN_ONE_COMMIT`; rejects with a RangeError when there are more
   */
  add(changes: readonly StateChange[]): Promise<void> {
    if (changes.length > MOST_IN_ONE_COMMIT) return Promise.reject(tooMany(changes.length));
    return changes.length === 0 ? Promise.resolve() : this.#enqueue(changes);
  }

  /** Like `add`, but deferred: joins the next transaction, or runs by itself after a moment. */
  addSoon(changes: readonly StateChange[]): Promise<void> {
    if (changes.length > MOST_IN_ONE_COMMIT) return Promise.reject(tooMany(changes.length));
    return new Promise((resolve, reject) => {
      this.#soon.push({ changes, resolve, reject });
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#begin();
      }, SOON_MS);
    });
  }

  /** Resolves when everything asked for so far is on disk or was rejected, including deferred changes. */
  async written(): Promise<void> {
    await new Promise<void>((resolve) => {
      // Last of all: a group of many changes is written in several transactions, deferred changes in the last ones.
      this.#soon.push({ changes: [], resolve, reject: () => resolve() });
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#underWay === undefined) this.#turn ??= setImmediate(() => this.#begin());
    });
  }

  /** Like `written`, but also waits for what is asked for meanwhile. */
  async finish(): Promise<void> {
    this.#begin();
    while (this.#underWay !== undefined) {
      await this.#underWay;
      this.#begin();
    }
  }

  #enqueue(changes: readonly StateChange[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes, resolve, reject });
      if (this.#underWay === undefined) this.#turn ??= setImmediate(() => this.#begin());
    });
  }

  #begin(): void {
    if (this.#underWay !== undefined || this.#waiting.length + this.#soon.length === 0) return;
    const group = [...this.#waiting, ...this.#soon];
    this.#waiting = [];
    this.#soon = [];
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    this.#turn = this.#timer = undefined;
    this.#underWay = this.#carryOut(group).finally(() => {
      this.#underWay = undefined;
      // Without a timer, their time came while the disk was busy, and nothing else may ever start them.
      const isOverdue = this.#soon.length > 0 && this.#timer === undefined;
      if (this.#waiting.length > 0 || isOverdue) this.#begin();
    });
  }

  /** In the order in which they were asked for. Never rejects. */
  async #carryOut(group: readonly Entry[]): Promise<void> {
    for (const part of inParts(group)) await this.#transaction(part);
  }

  async #transaction(group: readonly Entry[]): Promise<void> {
    try {
      await this.#transact(group.flatMap(({ changes }) => changes));
      for (const { resolve } of group) resolve();
    } catch (error) {
      const reason = await reasonOf(error);
      for (const { reject } of group) reject(reason);
    }
  }
}

/** As few transactions as possible, of at most `MOST_TOGETHER` changes; a single commit is never split. */
function inParts(group: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let size = 0;
  for (const entry of group) {
    if (part.length > 0 && size + entry.changes.length > MOST_TOGETHER) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(entry);
    size += entry.changes.length;
  }
  parts.push(part);
  return parts;
}

function tooMany(count: number): RangeError {
  return new RangeError(`A commit may hold ${MOST_IN_ONE_COMMIT} changes; this one has ${count}.`);
}

/** LMDB reports the reason of a failed commit in a second promise, which must also be handled. */
async function reasonOf(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: unknown } | null)?.commitError;
  if (!(reason instanceof Promise)) return error;
  const named = reason.catch((cause: unknown) => cause);
  // The reason arrives with the failure or never, so wait for one turn only.
  return Promise.race([named, new Promise((resolve) => setImmediate(resolve, error))]);
}
