import { type OpenFile, refuseShared } from '../open-file';

/** Bytes gathered into one write. Small enough to keep memory flat, large enough to keep calls few. */
const BATCH_BYTES = 1024 * 1024;
/** Written bytes after which the disk is told to start, so that the last sync finds little to do. */
const SYNC_BYTES = 8 * 1024 * 1024;

/**
 * Appends to a file in batches: one batch is written while the next is gathered, and the disk
 * writes back in the background while both go on. At most one write and one sync are under way.
 */
export class BatchWriter {
  readonly #handle: OpenFile;
  #position: number;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #unsynced = 0;
  #fault: { error: unknown } | undefined;
  #syncFailed = false;

  /** @param position where to append, in bytes */
  constructor(handle: OpenFile, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  /** Bytes that certainly are in the file. */
  get written(): number {
    return this.#position;
  }

  /**
   * False after a failed sync: the system may forget which pages never reached the disk, so that
   * neither reading them nor syncing again proves anything.
   */
  get isTrusted(): boolean {
    return !this.#syncFailed;
  }

  /** Takes bytes; resolves when more may come. The bytes must not be changed afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#raise();
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes < BATCH_BYTES) return;
    await this.#writing;
    this.#raise();
    this.#startWriting();
  }

  /** Resolves when everything taken is in the file (not yet on the disk). */
  async flush(): Promise<void> {
    await this.#writing;
    this.#raise();
    this.#startWriting();
    await this.#writing;
    this.#raise();
  }

  /** Makes everything taken durable. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#syncing;
    this.#raise();
    try {
      await this.#handle.sync();
    } catch (error) {
      this.#syncFailed = true;
      // Nobody may ask again and believe the second answer.
      this.#fail(error);
      throw error;
    }
  }

  /** Forgets what was not written yet and waits until nothing is under way. Never throws. */
  async halt(): Promise<void> {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await this.#writing;
    await this.#syncing;
  }

  #raise(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #startWriting(): void {
    if (this.#gathered.length === 0) return;
    const batch = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = this.#append(batch).then(
      () => this.#startSyncing(),
      (error: unknown) => this.#fail(error)
    );
  }

  async #append(batch: Uint8Array[]): Promise<void> {
    await refuseShared(this.#handle);
    let rest = batch;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#position);
      this.#position += bytesWritten;
      this.#unsynced += bytesWritten;
      rest = afterBytes(rest, bytesWritten);
    }
  }

  #startSyncing(): void {
    if (this.#unsynced < SYNC_BYTES || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#syncFailed = true;
        this.#fail(error);
      })
      .finally(() => (this.#syncing = undefined));
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
  }
}

/** The buffers that remain after the first `count` bytes: a full disk can cut a write short. */
function afterBytes(buffers: Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  for (const [index, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(index + 1)];
    skip -= buffer.length;
  }
  return [];
}
