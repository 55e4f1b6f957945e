import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** A place away from this machine that keeps copies of checkpoints. */
export interface CheckpointStore {
  /** The same text for the same place. */
  readonly place: string;
  /**
   * Keeps a file, unless one of that name is there.
   *
   * @throws CodedError when it is not kept; it is tried again
   */
  keep(name: string, bytes: Buffer): Promise<void>;
}

/** What is copied of a checkpoint, and the public key that checks it. Never the log: it stays where it is. */
const COPIED = /^(?:\d{8}-.*\.checkpoint\.json(?:\.sig|\.tsr)?|key-[0-9a-f]{16}\.pem)$/;

/** Files that a process looks after, the latest ones: some 40 days. */
const MOST = 120;

/** Copies checkpoints, so that somebody who can change this machine cannot take them back. */
export class CheckpointCopies {
  readonly #stores: () => Iterable<CheckpointStore>;
  /** What a place has, as far as this process knows. */
  readonly #kept = new Map<string, Set<string>>();

  /** @param stores asked each time */
  constructor(stores: () => Iterable<CheckpointStore>) {
    this.#stores = stores;
  }

  /** @throws CodedError of the first place that takes nothing, after all were tried */
  async bring(directory: string): Promise<void> {
    const names = (await readdir(directory)).filter((name) => COPIED.test(name)).sort();
    // A key alone shows nothing.
    if (!names.some((name) => name.endsWith('.checkpoint.json'))) return;
    const faults: unknown[] = [];
    for (const store of new Map([...this.#stores()].map((each) => [each.place, each])).values())
      await this.#bringTo(store, directory, names.slice(-MOST)).catch((error: unknown) => faults.push(error));
    if (faults.length > 0) throw faults[0];
  }

  async #bringTo(store: CheckpointStore, directory: string, names: readonly string[]): Promise<void> {
    const kept = this.#kept.get(store.place) ?? new Set<string>();
    this.#kept.set(store.place, kept);
    for (const name of names) {
      if (kept.has(name)) continue;
      await store.keep(name, await readFile(path.join(directory, name)));
      kept.add(name);
    }
  }
}
