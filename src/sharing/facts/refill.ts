import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { RedisConnection } from '../redis-connection';
import type { Asked, Cursor, Page, RefillExchange } from './refill-exchange';

export interface RefillDeps {
  exchange: RefillExchange;
  connection: Pick<RedisConnection, 'isAway' | 'key'>;
  database: Pick<StateDatabase, 'collection' | 'commit'>;
  /** Id of this instance. */
  instance: string;
  /** Hashes of the places that this instance has; nothing is asked before there is one. */
  places: () => readonly string[];
  /** The changes that follow from what another instance has told. */
  changesOf: (text: string) => StateChange[];
  /** Nobody has answered for long. */
  onUnanswered: () => void;
  times: RefillTimes;
}

/** All in milliseconds. */
export interface RefillTimes {
  /** Between two looks for an answer. */
  poll: number;
  /** After which a request counts as unanswered; the question stays open. */
  unanswered: number;
  /** How long one that has missed something itself leaves a request to others. */
  yield: number;
}

export const REFILL_TIMES: RefillTimes = { poll: 200, unanswered: 300_000, yield: 10_000 };

/** How far this instance has caught up. On disk, so that a restart goes on there. */
interface Progress {
  /** Another one after each gap: what was told before that may be missing again. */
  gap: string;
  /** Milliseconds since 1970. */
  since: number;
  cursor: Cursor;
}

const BEGINNING: Cursor = { list: 'tombstones', after: null };
/** Clocks of instances and of Redis differ, and what is stored is told a moment later. */
const SLACK_MS = 600_000;
/** After so many looks for an answer the request is made again. */
const LOOKS_PER_REQUEST = 25;

/** Asks the other instances for what this one has missed, page by page, until it has all of it. */
export class Refill {
  readonly #deps: RefillDeps;
  readonly #notes: StateCollection<Progress>;
  readonly #note: string;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #waitsSince: number | undefined;
  #isTold = false;

  /** @throws as the state does when it cannot be read */
  constructor(deps: RefillDeps) {
    this.#deps = deps;
    this.#notes = deps.database.collection('sharing-notes');
    this.#note = `refill ${deps.connection.key('facts')}`;
  }

  /** Whether this instance lacks something that others have told. */
  get isNeeded(): boolean {
    return this.#notes.get(this.#note) !== undefined;
  }

  /**
   * Something was missed. Durable when resolved.
   *
   * @param at what was told since is missing; milliseconds since 1970
   */
  async begin(at: number): Promise<void> {
    const known = this.#notes.get(this.#note);
    const since = Math.max(0, Math.min(at - SLACK_MS, known?.since ?? Infinity));
    await this.#notes.put(this.#note, { gap: randomUUID(), since, cursor: BEGINNING });
  }

  /** Goes on if something is missing. Never rejects: what fails is done again at the next look. */
  async look(): Promise<void> {
    this.#running ??= this.#run()
      .catch(() => undefined)
      .finally(() => (this.#running = undefined));
    await this.#running;
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { exchange, instance, database, changesOf, places } = this.#deps;
    for (;;) {
      const progress = this.#notes.get(this.#note);
      if (progress === undefined || places().length === 0 || this.#hasToStop()) return;
      const { gap, since, cursor } = progress;
      const asked = { page: randomUUID(), since, cursor, places: [...places()] };
      const answer = await this.#answer(asked);
      if (answer === null) return;
      const { next } = answer;
      // Another gap may have been found meanwhile: then all of it begins again.
      const isSame = this.#notes.get(this.#note)?.gap === gap;
      const noted =
        next === null
          ? this.#notes.removing(this.#note)
          : this.#notes.putting(this.#note, { gap, since, cursor: next });
      await database.commit([...answer.texts.flatMap(changesOf), ...(isSame ? [noted] : [])]);
      await exchange.taken(asked.page);
      if (next !== null || !isSame) continue;
      this.#isTold = false;
      await exchange.end(instance);
    }
  }

  /** @returns null when it has to stop */
  async #answer(asked: Asked): Promise<Page | null> {
    const { exchange, times, onUnanswered, instance } = this.#deps;
    for (let looks = 0; ; looks += 1) {
      // Redis may have been emptied since.
      if (looks % LOOKS_PER_REQUEST === 0) await exchange.ask(instance, asked);
      const answer = await exchange.answered(asked.page);
      if (answer !== null) {
        this.#waitsSince = undefined;
        return answer;
      }
      this.#waitsSince ??= performance.now();
      if (!this.#isTold && performance.now() - this.#waitsSince >= times.unanswered) {
        this.#isTold = true;
        onUnanswered();
      }
      await pause(times.poll, null, { signal: this.#closing.signal, ref: false });
      if (this.#hasToStop()) return null;
    }
  }

  #hasToStop(): boolean {
    return this.#closing.signal.aborted || this.#deps.connection.isAway;
  }
}
