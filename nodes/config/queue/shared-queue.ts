import { hostname } from 'node:os';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Cluster, fingerprint, type NodeReport } from '../../../src/sharing/cluster';
import { RedisConnection } from '../../../src/sharing/redis-connection';
import { Sealer } from '../../../src/sharing/sealer';
import { type Instance, SharedLeases } from '../../../src/sharing/shared-leases';
import type { QueueSettings } from './queue-settings';

/** A deploy waits no longer than this, milliseconds. */
const LAST_WORDS_MS = 1500;

/** The label of the key in the dialog. */
export const KEY_LABEL = 'Encryption';

/** What the nodes with one queue share: one connection for all of them. */
export class SharedQueue {
  readonly settings: QueueSettings;
  readonly instance: Instance;
  readonly connection: RedisConnection;
  /** Null: what lies in Redis is clear text. */
  readonly sealer: Sealer | null;
  readonly leases: SharedLeases;
  /** The other instances, and what they tell of their nodes. */
  readonly cluster: Cluster;
  readonly #held = new Set<Promise<unknown>>();
  readonly #reports = new Map<string, () => NodeReport>();
  readonly #closers: (() => void)[] = [];

  /** Connects in the background. @param id of this installation */
  constructor(settings: QueueSettings, id: string) {
    this.settings = settings;
    this.connection = new RedisConnection(settings);
    this.sealer = Sealer.withKey(settings.encryptionKey?.toString('base64') ?? '');
    this.instance = { id, host: hostname() };
    this.leases = new SharedLeases(this.connection, this.instance);
    this.connection.start();
    this.cluster = new Cluster({
      connection: this.connection,
      instance: this.instance,
      report: () => Object.fromEntries([...this.#reports].map(([node, report]) => [node, report()]))
    });
  }

  /** A fingerprint of its settings that have to be the same everywhere, by their labels: who has another key ignores what is told. */
  get told(): Readonly<Record<string, string>> {
    return { [KEY_LABEL]: fingerprint(this.sealer?.prove('', 'key') ?? null) };
  }

  /** Keeps the connection for work that has to tell Redis how it ended. @returns the same promise */
  hold<Result>(work: Promise<Result>): Promise<Result> {
    const ended = work.then(
      () => undefined,
      () => undefined
    );
    this.#held.add(ended);
    void ended.then(() => this.#held.delete(ended));
    return work;
  }

  /**
   * Tells the other instances of a node.
   *
   * @param report must not throw
   * @returns the function that ends it
   */
  reportNode(node: string, report: () => NodeReport): () => void {
    this.#reports.set(node, report);
    void this.cluster.beat();
    return () => {
      if (this.#reports.get(node) === report) this.#reports.delete(node);
    };
  }

  /** @param close must not throw */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  /** Node-RED closes the nodes that use this at the same time, so they have a moment; a Redis that is away has none. */
  async close(): Promise<void> {
    await nextTurn();
    void this.hold(this.cluster.close());
    if (!this.connection.isAway && this.#held.size > 0)
      await Promise.race([Promise.all(this.#held), sleep(LAST_WORDS_MS, null, { ref: false })]);
    for (const close of this.#closers) close();
    this.connection.close();
  }
}
