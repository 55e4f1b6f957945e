import type { Owner } from './fair-turns';

interface Place {
  end: () => void;
}

/**
 * A limited number of places for what may last long. While some are free, everybody may take as many as they want; after that,
 * an owner who has fewer takes over a place from the owner with the most.
 */
export class FairPlaces {
  #free: number;
  /** The oldest place of each owner comes first. */
  readonly #taken = new Map<Owner, Set<Place>>();

  /** @param limit at least 1 */
  constructor(limit: number) {
    this.#free = limit;
  }

  /**
   * @param end called when another owner gets the place
   * @returns gives the place back, once; null when there is none, because nobody has two more than this owner
   */
  take(owner: Owner, end: () => void): (() => void) | null {
    if (this.#free === 0) this.#takeFromOther(owner);
    if (this.#free === 0) return null;
    this.#free -= 1;
    const place = { end };
    const mine = this.#taken.get(owner) ?? new Set();
    this.#taken.set(owner, mine.add(place));
    return () => this.#give(owner, place);
  }

  #takeFromOther(owner: Owner): void {
    let most = (this.#taken.get(owner)?.size ?? 0) + 1;
    let from = owner;
    for (const [other, { size }] of this.#taken) if (size > most) [most, from] = [size, other];
    const [oldest] = from === owner ? [] : (this.#taken.get(from) ?? []);
    if (oldest === undefined) return;
    this.#give(from, oldest);
    oldest.end();
  }

  #give(owner: Owner, place: Place): void {
    const theirs = this.#taken.get(owner);
    if (theirs?.delete(place) !== true) return;
    this.#free += 1;
    if (theirs.size === 0) this.#taken.delete(owner);
  }
}
