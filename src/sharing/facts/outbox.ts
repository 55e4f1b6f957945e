import { sweepCollection } from '../../state/in-steps';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';

interface OutboxEntry {
  /** When it was committed, milliseconds since 1970. */
  at: number;
  /** The data of the Redis that has it; null: none has. */
  epoch: string | null;
  text: string;
}

/** What is not in Redis yet. */
export interface Untold {
  sequence: number;
  text: string;
}

/** How long it is kept once it is in Redis: if that is emptied meanwhile, it is told again. */
export const KEPT_MS = 3_600_000;
/** As many as the stream keeps. */
const MOST = 10_000;
const READ_AT_ONCE = 500;

/** The latest sequence in a database: each queue has an outbox of its own there, and none may take the place of another's entry. */
const latest = new WeakMap<object, { sequence: number }>();

/** What this instance has to tell, on its disk, in the order of its commits. */
export class Outbox {
  readonly #entries: StateCollection<OutboxEntry>;
  readonly #now: () => number;
  readonly #latest: { sequence: number };

  constructor(database: Pick<StateDatabase, 'collection'>, now: () => number) {
    this.#entries = database.collection('sharing-outbox');
    this.#now = now;
    this.#latest = latest.get(database) ?? { sequence: 0 };
    latest.set(database, this.#latest);
    const [last] = this.#entries.range({ reverse: true, start: Number.MAX_SAFE_INTEGER, end: 0, limit: 1 });
    this.#latest.sequence = Math.max(this.#latest.sequence, Number(last?.key ?? 0));
  }

  /** The change that enters a text, for the commit of what it tells. */
  entering(text: string): StateChange {
    // Also later than those of a state that was lost.
    const sequence = Math.max(this.#latest.sequence + 1, this.#now());
    this.#latest.sequence = sequence;
    return this.#entries.putting(sequence, { at: this.#now(), epoch: null, text });
  }

  /** Some of what a Redis does not have, in order. @param after a sequence */
  untold(epoch: string, after: number): { untold: Untold[]; last: number | null } {
    const found = [...this.#entries.range({ start: after + 1, limit: READ_AT_ONCE })];
    const untold = found.flatMap(({ key, value }) =>
      value.epoch === epoch ? [] : [{ sequence: Number(key), text: value.text }]
    );
    return { untold, last: found.length < READ_AT_ONCE ? null : Number(found.at(-1)?.key) };
  }

  /** A Redis has these now. */
  telling(epoch: string, told: readonly Untold[]): StateChange[] {
    return told.map(({ sequence, text }) =>
      this.#entries.putting(sequence, { at: this.#now(), epoch, text })
    );
  }

  /** Forgets what is known elsewhere, and the oldest when Redis is away for very long. Resolves when done. */
  async sweep(): Promise<void> {
    const before = this.#now() - KEPT_MS;
    await sweepCollection(this.#entries, ({ at, epoch }) => epoch !== null && at < before);
    const surplus = this.#entries.count() - MOST;
    if (surplus <= 0) return;
    const keys = [...this.#entries.keys({ limit: surplus })];
    await Promise.allSettled(keys.map((key) => this.#entries.remove(key)));
  }
}
