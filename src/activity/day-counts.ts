import type { StateChange, StateCollection } from '../state/state-database';
import { KEPT_MS, NO_TOTALS, QUARTER_MS, type Quarter, TOTALS, type Totals } from './activity';

/** Milliseconds of a day, and of the hour that a clock may be put back. */
const SHOWN_MS = 25 * 60 * 60 * 1000;

/**
 * Counts by quarters of an hour, for a chart and for the totals of today. It is given running totals now and then, and
 * enters what was added since: nothing happens at each delivery.
 */
export class DayCounts {
  readonly #now: () => number;
  readonly #quarters = new Map<number, Totals>();
  readonly #unsaved = new Set<number>();
  /** Read from the state already. */
  #isLoaded = false;
  #before: Totals = { ...NO_TOTALS };

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @param totals since the process began; counted into the present quarter */
  sample(totals: Readonly<Totals>): void {
    const number = Math.floor(this.#now() / QUARTER_MS);
    const quarter = this.#quarters.get(number) ?? { ...NO_TOTALS };
    let isChanged = false;
    for (const name of TOTALS) {
      const added = totals[name] - this.#before[name];
      quarter[name] += added;
      isChanged ||= added !== 0;
    }
    this.#before = { ...totals };
    if (!isChanged) return;
    this.#quarters.set(number, quarter);
    this.#unsaved.add(number);
    this.#forget();
  }

  /** The quarters of the last day in which something was counted, oldest first. */
  quarters(): Quarter[] {
    const now = this.#now();
    return [...this.#quarters]
      .filter(([number]) => number * QUARTER_MS > now - SHOWN_MS && number * QUARTER_MS <= now)
      .sort(([a], [b]) => a - b)
      .map(([number, totals]) => ({ from: number * QUARTER_MS, ...totals }));
  }

  /** Adds what earlier processes counted. Only the first call does. @throws an error of LMDB */
  load(saved: StateCollection<Partial<Totals>>): void {
    if (this.#isLoaded) return;
    const from = Math.floor((this.#now() - SHOWN_MS) / QUARTER_MS);
    for (const { key, value } of saved.range({ start: from })) {
      if (typeof key !== 'number') continue;
      const known = this.#quarters.get(key) ?? { ...NO_TOTALS };
      for (const name of TOTALS) known[name] += value[name] ?? 0;
      this.#quarters.set(key, known);
    }
    this.#isLoaded = true;
  }

  /** What to write so that the next process knows it; none when nothing was counted since the last call. */
  changes(saved: StateCollection<Partial<Totals>>): StateChange[] {
    if (!this.#isLoaded || this.#unsaved.size === 0) return [];
    const changes = [...this.#unsaved].map((number) =>
      saved.putting(number, this.#quarters.get(number) ?? { ...NO_TOTALS })
    );
    const old = Math.floor((this.#now() - KEPT_MS) / QUARTER_MS);
    for (const key of saved.keys({ end: old, limit: 200 })) changes.push(saved.removing(key));
    this.#unsaved.clear();
    return changes;
  }

  #forget(): void {
    const old = Math.floor((this.#now() - KEPT_MS) / QUARTER_MS);
    for (const number of this.#quarters.keys()) if (number < old) this.#quarters.delete(number);
  }
}
