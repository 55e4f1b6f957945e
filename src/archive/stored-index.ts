import type { StoredRecording } from './stored-recording';

/** Which recordings are stored, by identity. A durable one can take the place of the one in memory. */
export interface StoredIndex {
  /** Files stored for an identity, with the format under which each was wanted. */
  find(identity: string): readonly IndexedFile[];
  add(identity: string, file: IndexedFile): void;
}

export interface IndexedFile {
  wantedFormat: string | null;
  recording: StoredRecording;
}

/** Remembers the latest recordings of this process: repeats of an event come within minutes. */
export class MemoryStoredIndex implements StoredIndex {
  readonly #byIdentity = new Map<string, IndexedFile[]>();

  constructor(private readonly limit = 5000) {}

  find(identity: string): readonly IndexedFile[] {
    return this.#byIdentity.get(identity) ?? [];
  }

  add(identity: string, file: IndexedFile): void {
    const others = this.find(identity).filter((known) => known.wantedFormat !== file.wantedFormat);
    this.#byIdentity.delete(identity);
    this.#byIdentity.set(identity, [...others, file]);
    const oldest = this.#byIdentity.keys().next();
    if (this.#byIdentity.size > this.limit && oldest.done !== true) this.#byIdentity.delete(oldest.value);
  }
}
