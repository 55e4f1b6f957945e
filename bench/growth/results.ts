import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Probe, Pruning } from './probe';

/** What was measured of one kind with one number of entries. */
export interface Measured {
  kind: string;
  count: number;
  /** Each value is the median of some processes. */
  start?: Probe;
  /** Milliseconds of a start after a crash, which checks the whole state. */
  afterCrash?: number;
  /** Null: these entries are kept for good. */
  pruning?: Pruning | null;
}

/** Results that several runs add to, in a file. */
export class Results {
  readonly #file: string;
  readonly #all: Measured[];

  constructor(file: string) {
    this.#file = file;
    this.#all = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Measured[]) : [];
  }

  add(kind: string, count: number, measured: Omit<Measured, 'kind' | 'count'>): void {
    const known = this.of(kind, count);
    if (known === undefined) this.#all.push({ kind, count, ...measured });
    else Object.assign(known, measured);
    writeFileSync(this.#file, JSON.stringify(this.#all, null, 2));
  }

  of(kind: string, count: number): Measured | undefined {
    return this.#all.find((each) => each.kind === kind && each.count === count);
  }
}
