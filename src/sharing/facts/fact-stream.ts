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

/** Before all entries. */
export const BEGINNING = '0-0';

/** Entries that Redis keeps; with those of usual length it needs about 15 MB for them. */
const KEPT = 10_000;
const READ_AT_ONCE = 500;

/**
 * What instances tell one another, in the order in which Redis took it: a stream of bounded length. Throws CodedError
 * `QUEUE_AWAY` as the connection does.
 */
export class FactStream {
  readonly #connection: RedisConnection;
  readonly #kept: number;

  constructor(connection: RedisConnection, kept = KEPT) {
    this.#connection = connection;
    this.#kept = kept;
  }

  async append(entries: readonly Omit<StreamEntry, 'id'>[]): Promise<void> {
    await this.#connection.command(async (client) => {
      await Promise.all(
        entries.map(({ instance, sequence, text }) =>
          client.xadd(this.#key, 'MAXLEN', '~', this.#kept, '*', 'i', instance, 's', sequence, 't', text)
        )
      );
    });
  }

  /** Some of the entries after one, oldest first; none at the end. */
  async after(id: string): Promise<StreamEntry[]> {
    const found = await this.#connection.command((client) =>
      client.xrange(this.#key, `(${id}`, '+', 'COUNT', READ_AT_ONCE)
    );
    return found.map(([at, fields]) => {
      const [, instance = '', , sequence = '', , text = ''] = fields;
      return { id: at, instance, sequence: Number(sequence), text };
    });
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

function isLater(one: string, other: string): boolean {
  const [[time = 0, order = 0], [otherTime = 0, otherOrder = 0]] = [one, other].map((id) =>
    id.split('-').map(Number)
  ) as [number[], number[]];
  return time === otherTime ? order > otherOrder : time > otherTime;
}
