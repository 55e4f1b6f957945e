import { randomBytes } from 'node:crypto';
import { steadyNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import type { StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import type { ArchiveJob, ArchiveOrder } from './job';
import type { KeptMessage } from './message-snapshot';

/** An order and when it is to be worked on. */
export interface DueOrder {
  order: ArchiveOrder;
  /** Milliseconds since 1970. */
  dueAt: number;
}

type OrderKey = [node: string, dueAt: number, id: string];

/** How long the orders of a node that was deleted or disabled wait for it to come back. */
export const ORPHANS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Orders removed in one go. */
const STEP = 200;

/**
 * The orders of all download nodes, on disk from before they are accepted until they are carried out. In
 * the order in which they are due, so that the next one is found at once however many wait.
 */
export class JobLedger {
  readonly #orders: StateCollection<ArchiveOrder>;
  /** When a node was seen to be gone, in milliseconds since 1970. */
  readonly #gone: StateCollection<number>;
  #sequence = 0;

  /**
   * @param now milliseconds since 1970; it must not jump when the clock is set, or orders would wait for that long
   * @param today milliseconds since 1970 as the clock tells them now, for spans of days
   */
  constructor(
    private readonly database: StateDatabase,
    private readonly now: () => number = steadyNow,
    private readonly today: () => number = Date.now
  ) {
    this.#orders = database.collection('archive-jobs');
    this.#gone = database.collection('archive-nodes-gone');
  }

  /** A new order, not written down yet. */
  order(message: KeptMessage, jobs: ArchiveJob[]): ArchiveOrder {
    const acceptedAt = this.now();
    this.#sequence += 1;
    const id = `${base36(acceptedAt, 9)}${base36(this.#sequence, 6)}${randomBytes(4).toString('hex')}`;
    return { id, acceptedAt, message, jobs, files: {} };
  }

  /**
   * Writes an order down. Durable when resolved.
   *
   * @throws CodedError `STORE_FAILED`; `STATE_IN_USE` when another process has taken the state over
   */
  async add(node: string, order: ArchiveOrder): Promise<void> {
    try {
      await this.#orders.put(keyOf(node, order.acceptedAt, order.id), order);
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError(
        'STORE_FAILED',
        'The job could not be written to disk, so it was not begun. Look at the free space and the permissions of ' +
          '"telnyx" in the user directory of Node-RED, and send the message again.',
        { cause, retryable: true }
      );
    }
  }

  /**
   * The order of a node that is due first, whether it is due already or not.
   *
   * @param busy ids of orders that are left out
   */
  next(node: string, busy: Pick<ReadonlySet<string>, 'has'>): DueOrder | undefined {
    for (const key of this.#orders.keys(spanOf(node))) {
      const [, dueAt, id] = key as OrderKey;
      if (busy.has(id)) continue;
      const order = this.#orders.get(key);
      if (order !== undefined) return { order, dueAt };
    }
    return undefined;
  }

  /** The order that is due at a time, in milliseconds since 1970; undefined when there is none. */
  at(node: string, dueAt: number, id: string): ArchiveOrder | undefined {
    return this.#orders.get(keyOf(node, dueAt, id));
  }

  /** When orders of a node are due, by id. Looks through all of its orders, without reading them. */
  dueTimes(node: string, ids: ReadonlySet<string>): Map<string, number> {
    const times = new Map<string, number>();
    for (const key of this.#orders.keys(spanOf(node))) {
      const [, dueAt, id] = key as OrderKey;
      if (ids.has(id)) times.set(id, dueAt);
      if (times.size === ids.size) break;
    }
    return times;
  }

  /**
   * The orders of a node that are due in a span of time, in milliseconds since 1970.
   *
   * @param limit where counting ends
   * @returns how many, and the first of them
   */
  dueBetween(
    node: string,
    { from, to, limit }: { from: number; to: number; limit: number }
  ): { count: number; first: DueOrder | undefined } {
    let count = 0;
    let first: DueOrder | undefined;
    for (const key of this.#orders.keys({ start: [node, from], end: [node, to], limit })) {
      count += 1;
      if (first !== undefined) continue;
      const order = this.#orders.get(key);
      if (order !== undefined) first = { order, dueAt: (key as OrderKey)[1] };
    }
    return { count, first };
  }

  /** Whether a new order is on disk; it may be before `add` resolves. */
  has(node: string, { id, acceptedAt }: ArchiveOrder): boolean {
    return this.at(node, acceptedAt, id) !== undefined;
  }

  /** How many orders of a node there are. Takes a moment when there are very many. */
  count(node: string): number {
    return this.#orders.count(spanOf(node));
  }

  /**
   * How many orders of some nodes are to be worked on now, and how many there are at all, each counted no
   * further than to a limit. Takes microseconds, however many there are.
   */
  load(nodes: Iterable<string>, limit: number): { due: number; all: number } {
    const load = { due: 0, all: 0 };
    const now = this.now();
    for (const node of nodes) {
      for (const key of this.#orders.keys({ ...spanOf(node), limit: limit - load.all })) {
        load.all += 1;
        if ((key as OrderKey)[1] <= now) load.due += 1;
      }
      if (load.all >= limit) break;
    }
    return load;
  }

  /** Writes down what became of an order so far, and when to go on with it. Durable when resolved. */
  postpone(node: string, due: DueOrder, until: number, changes: StateChange[]): Promise<void> {
    return this.handOver(node, due, { node, dueAt: until }, changes);
  }

  /** As `postpone`, for another queue, which has a name like a node's id. */
  handOver(
    node: string,
    { order, dueAt }: DueOrder,
    to: { node: string; dueAt: number },
    changes: StateChange[]
  ): Promise<void> {
    return this.database.commit([
      ...changes,
      this.#orders.removing(keyOf(node, dueAt, order.id)),
      this.#orders.putting(keyOf(to.node, to.dueAt, order.id), order)
    ]);
  }

  /**
   * Strikes an order off. Durable when resolved, which nobody waits for: after a crash it is found stored.
   */
  finish(node: string, { order, dueAt }: DueOrder, changes: StateChange[]): Promise<void> {
    return this.database.commitSoon([...changes, this.#orders.removing(keyOf(node, dueAt, order.id))]);
  }

  /** The node was deleted or disabled; its orders wait for it. Durable when resolved. */
  nodeGone(node: string): Promise<void> {
    return this.#gone.put(node, this.today());
  }

  /** The node is there (again). */
  async nodeHere(node: string): Promise<void> {
    if (this.#gone.get(node) !== undefined) await this.#gone.remove(node);
  }

  /**
   * Strikes off the orders of nodes that have been gone for a week, in small steps.
   *
   * @param isHere whether a node runs in this process
   * @param lost told of each of these orders; gives the changes to be made along with its removal
   */
  async sweep(
    isHere: (node: string) => boolean,
    lost: (node: string, order: ArchiveOrder) => StateChange[]
  ): Promise<void> {
    for (const node of this.#nodes()) {
      if (isHere(node)) continue;
      const since = this.#gone.get(node);
      if (since === undefined) await this.nodeGone(node);
      else if (this.today() - since >= ORPHANS_KEPT_MS) await this.#strikeOff(node, lost);
    }
  }

  #nodes(): string[] {
    const nodes: string[] = [];
    let start: string[] = [];
    for (;;) {
      const [first] = this.#orders.keys({ start, limit: 1 });
      if (first === undefined) return nodes;
      const [node] = first as OrderKey;
      nodes.push(node);
      start = [`${node}\0`];
    }
  }

  async #strikeOff(node: string, lost: (node: string, order: ArchiveOrder) => StateChange[]): Promise<void> {
    for (;;) {
      const step = [...this.#orders.range({ ...spanOf(node), limit: STEP })];
      // One commit for each: an order may have many jobs.
      await Promise.all(
        step.map(({ key, value }) => this.database.commit([...lost(node, value), this.#orders.removing(key)]))
      );
      if (step.length < STEP) break;
    }
    await this.#gone.remove(node);
  }
}

function keyOf(node: string, dueAt: number, id: string): OrderKey {
  return [node, dueAt, id];
}

function spanOf(node: string): { start: [string]; end: [string, number] } {
  return { start: [node], end: [node, Number.MAX_VALUE] };
}

function base36(number: number, length: number): string {
  return number.toString(36).padStart(length, '0');
}
