import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';

/** A run of a recording list that has ended. Times are milliseconds since 1970. */
export interface ListRun {
  /** Id of the node. */
  node: string;
  provider: string;
  /** Id of the account's node; blank: none. */
  account: string;
  /** What was listed, by creation at the provider. Null: from its beginning. */
  from: number | null;
  to: number;
  startedAt: number;
  endedAt: number;
  /** Whether recordings were listed, and all of them: without a filter. False for a run that only read files. */
  isWhole: boolean;
  /** False: something may be missing from what was listed. */
  complete: boolean;
  /** Why; codes of errors. */
  errors: readonly string[];
  listed: number;
  stored: number;
  deleted: number;
  missing: number;
  notReady: number;
  withoutFile: number;
  /** What reading the stored files again found; null: they were not read. */
  verify: StoredFilesCheck | null;
}

/** Numbers of files. */
export interface StoredFilesCheck {
  files: number;
  intact: number;
  changed: number;
  missing: number;
  unreadable: number;
}

/** Months in which lists ran that are kept: 14, and the one that is not over. */
const KEPT_MONTHS = 15;

/** Entries that one commit removes at most. */
const MOST_REMOVED = 1000;

/** Sorts after every time. */
const AFTER_ALL = '\u{10ffff}';

/**
 * The runs of recording lists, so that a certificate knows which time they covered. Months in which none ran do not count
 * towards the 14 that are kept, so a clock that is years off removes nothing but the oldest month.
 */
export class ListRuns {
  readonly #runs: StateCollection<ListRun>;
  readonly #database: Pick<StateDatabase, 'commit'>;

  constructor(database: Pick<StateDatabase, 'collection' | 'commit'>) {
    this.#database = database;
    this.#runs = database.collection('list-runs');
  }

  /** Notes a run, and forgets the oldest. @throws when the state cannot be written */
  async note(run: ListRun): Promise<void> {
    const key = [monthOf(run.endedAt), run.endedAt, run.node];
    await this.#database.commit([this.#runs.putting(key, run), ...this.#removing()]);
  }

  /** The runs that ended at a time or later, in their order. @param from milliseconds since 1970 */
  *endedFrom(from: number): Iterable<ListRun> {
    for (const { value } of this.#runs.range({ start: [monthOf(from), from] })) yield value;
  }

  #removing(): StateChange[] {
    const months = this.#months();
    const oldest = months.at(-KEPT_MONTHS);
    if (oldest === undefined || months.length <= KEPT_MONTHS) return [];
    const old = [...this.#runs.keys({ start: [''], end: [oldest], limit: MOST_REMOVED })];
    return old.map((key) => this.#runs.removing(key));
  }

  #months(): string[] {
    const months: string[] = [];
    for (let after = ''; months.length <= KEPT_MONTHS;) {
      const [key] = [...this.#runs.keys({ start: [after, AFTER_ALL], limit: 1 })];
      if (!Array.isArray(key)) break;
      after = String(key[0]);
      months.push(after);
    }
    return months;
  }
}

function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}
