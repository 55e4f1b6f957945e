/** What a node's status shows. */
export interface ProgressSummary {
  /** Files being transferred right now. */
  active: number;
  /** Files and jobs that wait for a slot, for the disk or for their next attempt. */
  waiting: number;
  /** Files stored since the node started, including those that already existed. */
  stored: number;
  /** Bytes of the active files received so far. */
  received: number;
  /** Bytes of the active files, or null when the size of one is not known yet. */
  total: number | null;
}

interface FileState {
  active: boolean;
  received: number;
  total: number | null;
}

/** One file's part in the progress. */
export interface FileProgress {
  working(): void;
  waiting(): void;
  /** @param received bytes; @param total bytes, or null when unknown */
  bytes(received: number, total: number | null): void;
  end(stored: boolean): void;
}

/** Adds up what all files of a node are doing. */
export class ArchiveProgress {
  readonly #onChange: () => void;
  readonly #files = new Set<FileState>();
  #stored = 0;
  #queued = 0;

  /** @param onChange called after every change; a caller that shows it must throttle it */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** @param count jobs that are on disk until it is their turn */
  queued(count: number): void {
    if (count === this.#queued) return;
    this.#queued = count;
    this.#onChange();
  }

  begin(): FileProgress {
    const state: FileState = { active: false, received: 0, total: null };
    this.#files.add(state);
    const change = (values: Partial<FileState>): void => {
      Object.assign(state, values);
      this.#onChange();
    };
    this.#onChange();
    return {
      working: () => change({ active: true }),
      waiting: () => change({ active: false }),
      bytes: (received, total) => change({ received, total }),
      end: (stored) => {
        this.#files.delete(state);
        if (stored) this.#stored += 1;
        this.#onChange();
      }
    };
  }

  summary(): ProgressSummary {
    const active = [...this.#files].filter((file) => file.active);
    return {
      active: active.length,
      waiting: this.#files.size - active.length + this.#queued,
      stored: this.#stored,
      received: active.reduce((sum, file) => sum + file.received, 0),
      total: active.reduce<number | null>(
        (sum, file) => (sum === null || file.total === null ? null : sum + file.total),
        0
      )
    };
  }
}
