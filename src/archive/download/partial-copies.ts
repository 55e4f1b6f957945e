import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import type { Destination } from '../../store/destination';
import { createFolderStore } from '../../store/folder/folder-store';
import type { PartOwner } from '../../store/folder/parts/part-owner';
import { losslessText } from '../../values/fields';
import { fileKey } from '../queue/job';

/** The file whose beginning a partial copy holds. */
export interface BegunFile {
  /** A strong one. */
  etag: string;
  /** Of the whole file; null if unknown. */
  size: number | null;
}

interface PartialNote extends BegunFile {
  /** The folder in which the partial copy is. */
  place: string;
}

/**
 * The notes about partial copies, so that a transfer resumes where it stopped, even after a crash. A partial
 * copy without a note is useless.
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
  readonly #node: string;
  readonly #place: string;
  readonly #notes: StateCollection<PartialNote>;

  /** @param place where the node stores now */
  constructor(database: StateDatabase, node: string, place: string) {
    this.#node = node;
    this.#place = place;
    this.#notes = database.collection('archive-partials');
  }

  begun(copyId: string): BegunFile | undefined {
    const note = this.#notes.get([this.#node, copyId]);
    return note?.place === this.#place ? { etag: note.etag, size: note.size } : undefined;
  }

  note(copyId: string, { etag, size }: BegunFile): Promise<void> {
    return this.#notes.put([this.#node, copyId], { etag, size, place: this.#place });
  }

  forget(copyId: string): Promise<void> {
    return this.#notes.remove([this.#node, copyId]);
  }

  /** Partial copies in folders where the node stored before its settings changed, by folder. */
  elsewhere(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const { key, value } of this.#notes.range({
      start: [this.#node],
      end: [this.#node, '\u{10ffff}']
    })) {
      if (value.place === this.#place) continue;
      found.set(value.place, [...(found.get(value.place) ?? []), (key as [string, string])[1]]);
    }
    return found;
  }
}

/** Bytes after which a transfer that a crash cuts off is worth resuming. */
const WORTH_NOTING = 1024 * 1024;

/**
 * Where a broken transfer resumes. The validator of the bytes is persisted as soon as there is much to
 * lose, and no later than when an attempt ends; a note that fails costs bytes, never correctness.
 */
export class ResumePoint {
  readonly #notes: ResumeStates;
  #file: BegunFile | undefined;
  #noted: BegunFile | undefined;

  constructor(
    notes: ResumeStates,
    readonly copyId: string
  ) {
    this.#notes = notes;
  }

  /** The file that the next request may resume. */
  get file(): BegunFile | undefined {
    return this.#file;
  }

  /** @param held bytes that the partial copy has now */
  async begin(held: number): Promise<void> {
    this.#noted = this.#notes.begun(this.copyId);
    this.#file = held > 0 ? this.#noted : undefined;
    // Bytes of another file may follow; a note of this one must not survive to describe them.
    if (held === 0 && this.#noted !== undefined) await this.#write(undefined);
  }

  /**
   * Describes what is received from now on. @param etag null: it cannot be resumed. @param size of the whole
   * file
   */
  validator(etag: string | null, size: number | null): void {
    this.#file = etag === null ? undefined : { etag, size };
    if (this.#noted !== undefined && !this.#isNoted(this.#file)) void this.#write(undefined);
  }

  /** @param bytes held so far */
  received(bytes: number): void {
    if (bytes >= WORTH_NOTING && !this.#isNoted(this.#file)) void this.#write(this.#file);
  }

  /** The attempt ended early. @param held bytes that were put aside */
  async keep(held: number): Promise<void> {
    const file = held > 0 ? this.#file : undefined;
    if (!this.#isNoted(file)) await this.#write(file);
  }

  /** The partial copy no longer exists. */
  forget(): void {
    if (this.#noted !== undefined) void this.#write(undefined);
  }

  #isNoted(file: BegunFile | undefined): boolean {
    return file?.etag === this.#noted?.etag && file?.size === this.#noted?.size;
  }

  /** Never rejects: a note that is missing makes the transfer start over. */
  async #write(file: BegunFile | undefined): Promise<void> {
    this.#noted = file;
    const written =
      file === undefined ? this.#notes.forget(this.copyId) : this.#notes.note(this.copyId, file);
    await written.catch(() => undefined);
  }
}

interface Clearance {
  /** Id of the download node. */
  node: string;
  /** Where it stores. */
  destination: Pick<Destination, 'sweep'>;
  /** Whose the partial copies are. */
  owner: PartOwner;
  notes: NodeResumeStates;
  /** Whether to delete those that a job could resume, too. */
  all: boolean;
}

/**
 * Deletes the partial copies of a node that no job can resume: those without a note, and those at the place of
 * its earlier settings. Never rejects: the next recording to store reports an unreadable folder.
 */
export async function clearPartialCopies({ node, destination, owner, notes, all }: Clearance): Promise<void> {
  const prefix = partialCopyPrefix(node);
  const isWanted = (copyId: string): boolean =>
    !copyId.startsWith(prefix) || (!all && notes.begun(copyId) !== undefined);
  try {
    await destination.sweep(isWanted);
    for (const [place, copyIds] of notes.elsewhere()) {
      if (isAbsolute(place)) {
        const left = new Set(copyIds);
        await createFolderStore({ folder: place, owner }).sweep((copyId) => !left.has(copyId));
      }
      for (const copyId of copyIds) await notes.forget(copyId);
    }
  } catch {
    // See above.
  }
}

/**
 * Names the partial copy of one file. The same recording wanted by the same node gives the same id, so that a
 * later attempt finds what an earlier one left; another node with the same folder gets another.
 *
 * @param scope id of the node
 * @returns safe characters only
 */
export function partialCopyId(scope: string, identity: string, format: string | null): string {
  return `${partialCopyPrefix(scope)}${digest(fileKey(identity, format))}`;
}

/** How the ids of all partial copies of one node begin. */
export function partialCopyPrefix(scope: string): string {
  return `${digest(scope).slice(0, 12)}_`;
}

function digest(text: string): string {
  return createHash('sha256').update(losslessText(text)).digest('hex').slice(0, 32);
}
