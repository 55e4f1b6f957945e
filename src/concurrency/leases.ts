/** What became of work under a lease. */
export type LeaseRun<Result> =
  | { kind: 'done'; result: Result }
  /** Somebody else has the lease. */
  | { kind: 'taken' };

/**
 * Work that is done in one place at a time. Nothing here says how far that reaches: to this process, or to all that share
 * their work. docs/adr/seams.md lists the promises, test/unit/concurrency/leases-contract.ts tests them.
 */
export interface Leases {
  /**
   * Does work, unless work of that name is being done. Nobody waits for a lease.
   *
   * @param ttlMs milliseconds for which the lease outlives a process that dies; a living one renews it
   * @param work is to stop when `lost` is aborted: from then on somebody else may have the lease
   * @returns `taken` when the work was not begun
   * @throws as `work` does; the lease then ends as well
   */
  run<Result>(
    name: string,
    ttlMs: number,
    work: (lost: AbortSignal) => Promise<Result>
  ): Promise<LeaseRun<Result>>;
}

/** The leases of one process. They end with it, and are never lost. */
export class LocalLeases implements Leases {
  readonly #taken = new Set<string>();

  async run<Result>(
    name: string,
    _ttlMs: number,
    work: (lost: AbortSignal) => Promise<Result>
  ): Promise<LeaseRun<Result>> {
    if (this.#taken.has(name)) return { kind: 'taken' };
    this.#taken.add(name);
    try {
      // One of its own: what listens to it goes with it.
      return { kind: 'done', result: await work(new AbortController().signal) };
    } finally {
      this.#taken.delete(name);
    }
  }
}
