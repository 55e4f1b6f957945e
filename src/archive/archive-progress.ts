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

/** What a file is. */
export interface FileAbout {
  recordingId: string | null;
  eventType: string | null;
  /** The wanted one; null if only the bytes show it. */
  format: string | null;
}

/** A file that is on its way. */
export interface FileState {
  /** Unique in this process. */
  readonly key: number;
  readonly about: FileAbout | null;
  /** False: it waits for a slot, or for the disk. */
  active: boolean;
  /** Bytes. */
  received: number;
  /** Bytes; null when it is not known yet. */
  total: number | null;
}

let lastKey = 0;

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

  begin(about: FileAbout | null = null): FileProgress {
    lastKey += 1;
    const state: FileState = { key: lastKey, about, active: false, received: 0, total: null };
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

  /** The files on their way: those being transferred, then those that wait. @param most of them */
  files(most: number): readonly Readonly<FileState>[] {
    const all = [...this.#files];
    const active = all.filter((file) => file.active);
    if (active.length >= most) return active.slice(0, most);
    return [...active, ...all.filter((file) => !file.active).slice(0, most - active.length)];
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
