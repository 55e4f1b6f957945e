import { EventEmitter, once } from 'node:events';

/** How often the files of recordings were fetched to their end, by the recording's id. */
export class DownloadCounts {
  readonly #counts = new Map<string, number>();
  readonly #events = new EventEmitter();

  add(id: string): void {
    this.#counts.set(id, this.of(id) + 1);
    this.#events.emit(id);
  }

  of(id: string): number {
    return this.#counts.get(id) ?? 0;
  }

  /**
   * Resolves when there is one.
   *
   * @throws Error `AbortError` when the signal fires first
   */
  async first(id: string, signal: AbortSignal): Promise<void> {
    if (this.of(id) === 0) await once(this.#events, id, { signal });
  }
}
