import type { Sealer } from '../sealer';
import type { RedisConnection } from '../redis-connection';

/** An entry of the stream. */
export interface StreamEntry {
  /** As Redis numbers them, ascending. */
  id: string;
  /** Who told it. */
  instance: string;
  /** Ascending for each instance. */
  sequence: number;
  text: string;
}

/** `text`: null when it was not sealed with the key here, so that anybody may have written the entry. */
export interface FoundEntry extends Omit<StreamEntry, 'text'> {
  text: string | null;
}

export interface FactStreamOptions {
  /** Null: entries are readable in Redis. */
  sealer: Sealer | null;
  /** Entries that Redis keeps. Default 10,000. */
  kept?: number | undefined;
}

/** Before all entries. */
export const BEGINNING = '0-0';

/** Entries that Redis keeps; with those of usual length it needs about 15 MB for them. */
const KEPT = 10_000;
const READ_AT_ONCE = 500;
/** Characters of the id of an instance. */
const LONGEST_ID = 200;
/** Characters of an entry, sealed or not; those that instances write are shorter. */
const LONGEST = 1024 * 1024;

/**
 * What instances tell one another, in the order in which Redis took it: a stream of bounded length. Throws CodedError
 * `QUEUE_AWAY` as the connection does.
 */
export class FactStream {
  readonly #connection: RedisConnection;
  readonly #sealer: Sealer | null;
  readonly #kept: number;

  constructor(connection: RedisConnection, { sealer, kept = KEPT }: FactStreamOptions) {
    this.#connection = connection;
    this.#sealer = sealer;
    this.#kept = kept;
  }

  async append(entries: readonly Omit<StreamEntry, 'id'>[]): Promise<void> {
    await this.#connection.command(async (client) => {
      await Promise.all(
        entries.map((entry) => {
          const { instance, sequence, text } = entry;
          const written = this.#sealer?.seal(text, subjectOf(entry)) ?? text;
          return client.xadd(
            ...([
              this.#key,
              'MAXLEN',
              '~',
              this.#kept,
              '*',
              'i',
              instance,
              's',
              sequence,
              't',
              written
            ] as const)
          );
        })
      );
    });
  }

  /** Some of the entries after one, oldest first; none at the end. */
  async after(id: string): Promise<FoundEntry[]> {
    const found = await this.#connection.command((client) =>
      client.xrange(this.#key, `(${id}`, '+', 'COUNT', READ_AT_ONCE)
    );
    return found.map(([at, fields]) => {
      const [, instance = '', , sequence = '', , text = ''] = fields;
      const entry = { instance, sequence: Number(sequence) };
      return { id: at, ...entry, text: this.#read(entry, text) };
    });
  }

  #read(entry: Pick<StreamEntry, 'instance' | 'sequence'>, text: string): string | null {
    const isOurs = Number.isSafeInteger(entry.sequence) && entry.instance.length <= LONGEST_ID;
    if (!isOurs || text.length > LONGEST) return null;
    return this.#sealer === null ? text : this.#sealer.open(text, subjectOf(entry));
  }

  /** Whether entries after one may be gone already. */
  async hasGapAfter(id: string): Promise<boolean> {
    // Only one that is full was shortened.
    const length = await this.#connection.command((client) => client.xlen(this.#key));
    if (id === BEGINNING || length < this.#kept) return false;
    const [first] = await this.#connection.command((client) =>
      client.xrange(this.#key, '-', '+', 'COUNT', 1)
    );
    return first !== undefined && isLater(first[0], id);
  }

  get #key(): string {
    return this.#connection.key('facts');
  }
}

/** An entry counts neither for another instance nor at another place in the order. */
function subjectOf({ instance, sequence }: Pick<StreamEntry, 'instance' | 'sequence'>): string {
  return `fact\n${sequence}\n${instance}`;
}

/** When Redis took an entry, milliseconds since 1970. */
export function timeOf(id: string): number {
  return Number(id.split('-', 1)[0]);
}

function isLater(one: string, other: string): boolean {
  const [[time = 0, order = 0], [otherTime = 0, otherOrder = 0]] = [one, other].map((id) =>
    id.split('-').map(Number)
  ) as [number[], number[]];
  return time === otherTime ? order > otherOrder : time > otherTime;
}
