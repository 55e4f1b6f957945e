import { setImmediate as nextTurn } from 'node:timers/promises';
import { NO_EFFECTS } from '../../archive/effects';
import type { StoredRecordings } from '../../archive/index/stored-index';
import type { Tombstones } from '../../evidence/deletion/tombstones';
import type { StoredRecording } from '../../store/stored-recording';
import type { Asked, Cursor, Page, RefillExchange } from './refill-exchange';
import { spellTold } from './told-effects';

export interface RetellingDeps {
  exchange: RefillExchange;
  /** Id of this instance. */
  instance: string;
  recordings: Pick<StoredRecordings, 'following'>;
  tombstones: Pick<Tombstones, 'following'>;
  /** The places that this instance has, by the hash that the index has of them. */
  places: ReadonlyMap<string, string>;
  /** Whether this instance has missed something itself: then the others answer first. */
  hasMissed: () => boolean;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
  /** For so long the others answer first, milliseconds. */
  yieldMs: number;
}

type Key = NonNullable<Cursor['after']>;
interface Step {
  /** The last key of the step; null at the end of the list. */
  last: Key | null;
  texts: string[];
}

/** Of one page: files, characters, and entries that are looked at. */
const MOST_TEXTS = 200;
const MOST_CHARACTERS = 256 * 1024;
const MOST_READ = 5000;
/** Entries at once. */
const STEP = 100;

/** Tells again, from the index of this instance, what another one has missed: page by page, each of them when it is asked for. */
export class Retelling {
  readonly #deps: RetellingDeps;
  /** Since when instances are known to ask. */
  readonly #since = new Map<string, number>();

  constructor(deps: RetellingDeps) {
    this.#deps = deps;
  }

  /**
   * Answers what is asked now.
   *
   * @returns whether anything was: more is about to be asked
   * @throws CodedError `QUEUE_AWAY`
   */
  async look(): Promise<boolean> {
    const { exchange, instance: self } = this.#deps;
    const all = (await exchange.asked()).filter(({ instance }) => instance !== self);
    const askers = new Set(all.map(({ instance }) => instance));
    for (const known of this.#since.keys()) if (!askers.has(known)) this.#since.delete(known);
    let hasAnswered = false;
    for (const { instance, asked } of all) {
      if (!this.#isMine(instance, asked) || !(await exchange.claim(asked.page))) continue;
      await exchange.answer(asked.page, await this.#page(asked));
      hasAnswered = true;
    }
    return hasAnswered;
  }

  #isMine(instance: string, { places }: Asked): boolean {
    const { places: known, hasMissed, now, yieldMs } = this.#deps;
    const since = this.#since.get(instance) ?? now();
    this.#since.set(instance, since);
    if (!places.every((place) => known.has(place))) return false;
    return !hasMissed() || now() - since >= yieldMs;
  }

  async #page({ since, cursor, places }: Asked): Promise<Page> {
    const texts: string[] = [];
    let { list, after } = cursor;
    let characters = 0;
    for (let read = 0; read < MOST_READ; read += STEP) {
      const step = list === 'files' ? this.#files(after, since, new Set(places)) : this.#stones(after, since);
      texts.push(...step.texts);
      characters += step.texts.reduce((sum, { length }) => sum + length, 0);
      after = step.last;
      if (after === null && list === 'files') return { texts, next: null };
      if (after === null) list = 'files';
      if (texts.length >= MOST_TEXTS || characters >= MOST_CHARACTERS) break;
      await nextTurn();
    }
    return { texts, next: { list, after } };
  }

  #files(after: Key | null, since: number, places: ReadonlySet<string>): Step {
    const found = this.#deps.recordings.following(after, STEP);
    const texts = found.flatMap(({ key, file }) => {
      const place = places.has(key[1]) ? this.#deps.places.get(key[1]) : undefined;
      if (place === undefined || !isSince(file.recording, since)) return [];
      return spellTold({ effects: { ...NO_EFFECTS, stored: [{ place, file }] }, removed: [] });
    });
    return { texts, last: lastOf(found) };
  }

  #stones(after: Key | null, since: number): Step {
    const found = this.#deps.tombstones.following(after, STEP);
    const texts = found.flatMap((removed) =>
      Date.parse(removed.tombstone.deleted_at) < since
        ? []
        : spellTold({ effects: { ...NO_EFFECTS, removed: [removed] }, removed: [] })
    );
    return { texts, last: lastOf(found) };
  }
}

function lastOf(found: readonly { key: Key }[]): Key | null {
  return found.length < STEP ? null : (found.at(-1)?.key ?? null);
}

/** Whether anything of it was told since a time: that it was stored, its text, or its deletion at the source. */
function isSince({ stored_at, transcribed_at, deleted_at_source }: StoredRecording, since: number): boolean {
  return [stored_at, transcribed_at, deleted_at_source].some((time) => Date.parse(time ?? '') >= since);
}
