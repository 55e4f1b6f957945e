import type { BegunFile, ResumeStates } from './download/resume-state';

/** Bytes from which on a transfer that a crash cuts off is worth going on with. */
const WORTH_NOTING = 1024 * 1024;

/**
 * Where a broken transfer goes on. The validator of the bytes is written down as soon as there is much to
 * lose, and at the latest when an attempt ends; a note that fails costs bytes, never correctness.
 */
export class ResumePoint {
  #file: BegunFile | undefined;
  #noted: BegunFile | undefined;

  constructor(
    private readonly notes: ResumeStates,
    readonly copyId: string
  ) {}

  /** With which file the next request may go on. */
  get file(): BegunFile | undefined {
    return this.#file;
  }

  /** @param held bytes that the partial copy has now */
  async begin(held: number): Promise<void> {
    this.#noted = this.notes.begun(this.copyId);
    this.#file = held > 0 ? this.#noted : undefined;
    // Bytes of another file may follow; a note of this one must not survive to describe them.
    if (held === 0 && this.#noted !== undefined) await this.#write(undefined);
  }

  /** What is received from now on. @param etag null: it cannot be gone on with; @param size of all of it */
  validator(etag: string | null, size: number | null): void {
    this.#file = etag === null ? undefined : { etag, size };
    if (this.#noted !== undefined && !this.#isNoted(this.#file)) void this.#write(undefined);
  }

  /** @param bytes held by now */
  received(bytes: number): void {
    if (bytes >= WORTH_NOTING && !this.#isNoted(this.#file)) void this.#write(this.#file);
  }

  /** The attempt ended early. @param held bytes that were put aside */
  async keep(held: number): Promise<void> {
    const file = held > 0 ? this.#file : undefined;
    if (!this.#isNoted(file)) await this.#write(file);
  }

  /** There is no partial copy any more. */
  forget(): void {
    if (this.#noted !== undefined) void this.#write(undefined);
  }

  #isNoted(file: BegunFile | undefined): boolean {
    return file?.etag === this.#noted?.etag && file?.size === this.#noted?.size;
  }

  /** Never rejects: a note that is missing makes the transfer start over. */
  async #write(file: BegunFile | undefined): Promise<void> {
    this.#noted = file;
    const written = file === undefined ? this.notes.forget(this.copyId) : this.notes.note(this.copyId, file);
    await written.catch(() => undefined);
  }
}
