import type { StateCollection, StateDatabase } from '../../state/state-database';

/** The file of which a partial copy holds the beginning. */
export interface BegunFile {
  /** A strong one. */
  etag: string;
  /** Of the whole file; null when nobody said it. */
  size: number | null;
}

interface PartialNote extends BegunFile {
  /** The folder in which the partial copy is. */
  place: string;
}

/**
 * What is known of partial copies, so that a transfer resumes where it ended also after a crash. A
 * partial copy without a note is of no use to anybody.
 */
export interface ResumeStates {
  /** @returns what to resume with */
  begun(copyId: string): BegunFile | undefined;
  /** Durable when resolved. */
  note(copyId: string, file: BegunFile): Promise<void>;
  forget(copyId: string): Promise<void>;
}

/** The notes of one node, on disk. */
export class NodeResumeStates implements ResumeStates {
  readonly #notes: StateCollection<PartialNote>;

  /** @param place where the node stores now */
  constructor(
    database: StateDatabase,
    private readonly node: string,
    private readonly place: string
  ) {
    this.#notes = database.collection('archive-partials');
  }

  begun(copyId: string): BegunFile | undefined {
    const note = this.#notes.get([this.node, copyId]);
    return note?.place === this.place ? { etag: note.etag, size: note.size } : undefined;
  }

  note(copyId: string, { etag, size }: BegunFile): Promise<void> {
    return this.#notes.put([this.node, copyId], { etag, size, place: this.place });
  }

  forget(copyId: string): Promise<void> {
    return this.#notes.remove([this.node, copyId]);
  }

  /** Partial copies that are where the node stored before its settings were changed; by folder. */
  elsewhere(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const { key, value } of this.#notes.range({ start: [this.node], end: [this.node, '\u{10ffff}'] })) {
      if (value.place === this.place) continue;
      found.set(value.place, [...(found.get(value.place) ?? []), (key as [string, string])[1]]);
    }
    return found;
  }
}
