import type { PartialNotes } from './partial-notes';

/** Bytes from which on a transfer that a crash cuts off is worth going on with. */
const WORTH_NOTING = 1024 * 1024;

/**
 * Where a broken transfer goes on. The validator of the bytes is written down as soon as there is much to
 * lose, and at the latest when an attempt ends; a note that fails costs bytes, never correctness.
 */
export class ResumePoint {
  #etag: string | undefined;
  #noted: string | undefined;

  constructor(
    private readonly notes: PartialNotes,
    readonly copyId: string
  ) {}

  /** The ETag with which the next request may resume. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** @param held bytes that the partial copy has now */
  async begin(held: number): Promise<void> {
    this.#noted = this.notes.etag(this.copyId);
    this.#etag = held > 0 ? this.#noted : undefined;
    // Bytes of another file may follow; a note of this one must not survive to describe them.
    if (held === 0 && this.#noted !== undefined) await this.#write(undefined);
  }

  validator(etag: string | null): void {
    this.#etag = etag ?? undefined;
    if (this.#noted !== undefined && this.#noted !== this.#etag) void this.#write(undefined);
  }

  /** @param bytes held by now */
  received(bytes: number): void {
    if (bytes >= WORTH_NOTING && this.#etag !== this.#noted) void this.#write(this.#etag);
  }

  /** The attempt ended early. @param held bytes that were put aside */
  async keep(held: number): Promise<void> {
    const etag = held > 0 ? this.#etag : undefined;
    if (etag !== this.#noted) await this.#write(etag);
  }

  /** There is no partial copy any more. */
  forget(): void {
    if (this.#noted !== undefined) void this.#write(undefined);
  }

  /** Never rejects: a note that is missing makes the transfer start over. */
  async #write(etag: string | undefined): Promise<void> {
    this.#noted = etag;
    const written = etag === undefined ? this.notes.forget(this.copyId) : this.notes.note(this.copyId, etag);
    await written.catch(() => undefined);
  }
}
