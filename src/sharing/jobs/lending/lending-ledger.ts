import type { JobList } from '../../../archive/queue/job-repository';
import type { StateChange, StateCollection, StateDatabase } from '../../../state/state-database';

/** A job that may be in the pool. */
export interface Loan {
  /** Where it is in its list. */
  dueAt: number;
  /** About how much memory it needs in the pool. */
  bytes: number;
  /** It ran here while the pool was away, so the one in the pool must not run any more. */
  isVoid?: true;
}

/** How much all lists of an instance may lend. */
export interface LendingLimits {
  jobs: number;
  bytes: number;
}

/** Redis keeps all of it in memory: 20,000 jobs of the usual size are 55 MB. */
export const LENDING_LIMITS: LendingLimits = { jobs: 20_000, bytes: 64 * 1024 * 1024 };

/** What an instance has lent, over all of its lists. */
export class LendingBudget {
  readonly #limits: LendingLimits;
  #jobs = 0;
  #bytes = 0;

  constructor(limits: LendingLimits = LENDING_LIMITS) {
    this.#limits = limits;
  }

  get hasRoom(): boolean {
    return this.#jobs < this.#limits.jobs && this.#bytes < this.#limits.bytes;
  }

  /** How many more jobs there may be. */
  get room(): number {
    return this.hasRoom ? this.#limits.jobs - this.#jobs : 0;
  }

  take({ bytes }: Pick<Loan, 'bytes'>): void {
    this.#jobs += 1;
    this.#bytes += bytes;
  }

  give({ bytes }: Pick<Loan, 'bytes'>): void {
    this.#jobs -= 1;
    this.#bytes -= bytes;
  }
}

type LoanKey = string[];

/** Which jobs of a list are lent, on disk and in memory. What is in memory may be on its way to disk. */
export class LendingLedger {
  readonly #list: JobList;
  readonly #stored: StateCollection<Loan>;
  readonly #budget: LendingBudget;
  readonly #loans = new Map<string, Loan>();

  constructor(database: StateDatabase, list: JobList, budget: LendingBudget) {
    this.#list = list;
    this.#stored = database.collection(COLLECTION);
    this.#budget = budget;
  }

  /** Reads what an earlier process lent. At most as much as may be lent. */
  open(): void {
    this.close();
    const prefix = this.#key('').slice(0, -1);
    for (const { key, value } of this.#stored.range({ start: prefix, end: [...prefix, AFTER_ALL_TEXT] })) {
      const parts = key as LoanKey;
      // Those of the follow-ups come after those of the node.
      if (parts.length === prefix.length + 1) this.#enter(String(parts.at(-1)), value);
    }
  }

  /** Others may lend as much instead. */
  close(): void {
    for (const id of [...this.#loans.keys()]) this.#leave(id);
  }

  get size(): number {
    return this.#loans.size;
  }

  get ids(): string[] {
    return [...this.#loans.keys()];
  }

  get(id: string): Loan | undefined {
    return this.#loans.get(id);
  }

  /** Enters a loan, or replaces it. @returns the change for the disk */
  putting(id: string, loan: Loan): StateChange {
    this.#leave(id);
    this.#enter(id, loan);
    return this.#stored.putting(this.#key(id), loan);
  }

  /** Ends a loan. @returns the change for the disk */
  removing(id: string): StateChange {
    this.#leave(id);
    return this.#stored.removing(this.#key(id));
  }

  #enter(id: string, loan: Loan): void {
    this.#loans.set(id, loan);
    this.#budget.take(loan);
  }

  #leave(id: string): void {
    const loan = this.#loans.get(id);
    if (loan === undefined) return;
    this.#loans.delete(id);
    this.#budget.give(loan);
  }

  #key(id: string): LoanKey {
    return typeof this.#list === 'string' ? [this.#list, id] : [this.#list.followUpsOf, FOLLOW_UPS, id];
  }
}

/** The nodes that have lent something, whether there still is such a node or not. */
export function lendingNodes(database: StateDatabase): string[] {
  const stored = database.collection<Loan>(COLLECTION);
  const nodes: string[] = [];
  let start: string[] = [];
  for (;;) {
    const [first] = stored.keys({ start, limit: 1 });
    if (first === undefined) return nodes;
    const [node = ''] = first as LoanKey;
    nodes.push(node);
    start = [`${node}\0`];
  }
}

const COLLECTION = 'shared-loans';
/** No id of a job is this. */
const FOLLOW_UPS = 'follow-ups';
const AFTER_ALL_TEXT = '\u{10ffff}';
