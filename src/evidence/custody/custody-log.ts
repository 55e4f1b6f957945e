import { createHash } from 'node:crypto';
import { type FileHandle, open, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { makePrivateDirectory } from '../../state/private-directory';
import { errnoOf, realFileSystem, syncDirectory } from '../../store/folder/file-system';
import { type CurrentFile, type End, type Found, findEnd } from './custody-end';
import { type CustodyEntry, NO_HASH, formatLine, sha256Hex } from './custody-line';
import { custodyFileName, custodyFileNumber } from './custody-reader';

export interface CustodyLogOptions {
  /** Created when missing; only the user who runs Node-RED may read it. */
  directory: string;
  /** Throws when the state belongs to another process; called before and after each write. */
  guard?: (when: 'before' | 'after') => void;
  /** Receives what the owner of the machine should know, in whole sentences. */
  log: (text: string) => void;
  /** Milliseconds since 1970, by the clock of the machine: what a line says. */
  now?: () => number;
  /** Makes what was written durable; rejects when the disk did not take it. Default: `fdatasync`. */
  sync?: (handle: FileHandle) => Promise<void>;
  /** Called when a file got its last line and the next one has begun. */
  onClosed?: () => void;
}

/** Where an entry is. */
export interface CustodyPlace {
  seq: number;
  /** Milliseconds since 1970, as the line says. */
  at: number;
}

interface Waiting {
  /** Null: nothing but the first line of a new day, if one has begun. */
  entry: CustodyEntry | null;
  resolve: (place: CustodyPlace) => void;
  reject: (error: unknown) => void;
}

/** Lines that are written with one sync. */
const MOST_TOGETHER = 500;

/**
 * The custody log: what happened to recordings, one line after the other, each with the hash of the line before it, one
 * file a day. Lines are only ever added. An entry is on disk when its promise resolves; many entries share one sync.
 *
 * A line that a crash cut off is removed at the start, before anything is added. Anything else that is not as it was
 * written stays as it is: the log goes on in a new file, which names the hash of the damaged one and tells of the damage.
 */
export class CustodyLog {
  readonly #options: CustodyLogOptions;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;
  #current: CurrentFile | null;
  #end: End;
  /** The hash of the file that came before the next new one, and its name. */
  #before: { name: string; sha256: string } | null;
  /** What `#lookAtCurrent` found, until it is in the log. */
  #damages: CustodyEntry[] = [];
  /** Whether another process owned the log meanwhile, and may have written to it. */
  #isStale = false;
  #isClosed = false;

  private constructor(options: CustodyLogOptions, found: Found) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#current = found.current;
    this.#end = found.end;
    this.#before = found.before;
  }

  /**
   * Opens a log, and looks at the last file only: older ones are checked by `telnyx-evidence verify`.
   *
   * @throws the system's error when the directory cannot be read or written
   */
  static async open(options: CustodyLogOptions): Promise<CustodyLog> {
    options.guard?.('before');
    makePrivateDirectory(options.directory);
    const found = await findEnd(options.directory);
    const log = new CustodyLog(options, found);
    log.#note(found.damages);
    if (found.damages.length > 0) await log.#enqueue(null);
    return log;
  }

  /** The number and time of the last durable line; time NaN when there is none. */
  get last(): CustodyPlace {
    return { seq: this.#end.seq, at: this.#end.at };
  }

  /** The name of the file that is being written; null before the first line. */
  get currentFile(): string | null {
    return this.#current?.name ?? null;
  }

  /**
   * Adds a line.
   *
   * @returns where it is, once it is on disk
   * @throws CodedError `STORE_FAILED` (retryable) when the disk did not take it; the refusal of `guard`. It is then not in
   *   the log.
   */
  append(entry: CustodyEntry): Promise<CustodyPlace> {
    return this.#enqueue(entry);
  }

  /**
   * Begins the file of a new day even if nothing has happened in it, so that the day before can be signed.
   *
   * @returns whether a new file was begun
   */
  async turnPage(): Promise<boolean> {
    if (this.#current === null || this.#current.day === dayOf(this.#now())) return false;
    const before = this.#current.name;
    await this.#enqueue(null);
    return this.#current.name !== before;
  }

  /** Waits for what is being written. Later entries are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#current?.handle?.close();
    if (this.#current !== null) this.#current.handle = null;
  }

  #enqueue(entry: CustodyEntry | null): Promise<CustodyPlace> {
    if (this.#isClosed) return Promise.reject(notWritten(new Error('the log is closed')));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    // Entries of the same turn share the first sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MOST_TOGETHER);
      try {
        const places = await this.#write(group.map(({ entry }) => entry));
        group.forEach(({ resolve }, index) => resolve(places[index] ?? this.last));
      } catch (error) {
        const fault = notWritten(error);
        for (const { reject } of group) reject(fault);
      }
    }
    this.#writing = null;
  }

  /** Writes entries with one sync: all of them or none. */
  async #write(entries: readonly (CustodyEntry | null)[]): Promise<CustodyPlace[]> {
    const at = this.#now();
    const day = dayOf(at);
    this.#guard('before');
    if (this.#isStale) await this.#findAgain();
    await this.#lookAtCurrent();
    const begins = this.#current?.day !== day;
    const head = [...(begins ? [this.#opening()] : []), ...this.#damages];
    const all = [...head, ...entries.filter((entry) => entry !== null)];
    if (all.length === 0) return [];
    const file = begins ? await this.#begin(at, day) : await this.#reopened();
    const before = this.#end.seq + head.length;
    const end = await this.#add(file, all, at).catch(async (error: unknown) => {
      await this.#takeBack(file, begins);
      throw error;
    });
    const closed = begins ? this.#current : null;
    this.#current = file;
    this.#end = end;
    this.#before = null;
    this.#damages = [];
    await closed?.handle?.close().catch(() => undefined);
    if (begins && file.number > 1) this.#options.onClosed?.();
    let seq = before;
    return entries.map((entry) => ({ seq: entry === null ? seq : (seq += 1), at }));
  }

  async #add(file: CurrentFile, entries: readonly CustodyEntry[], at: number): Promise<End> {
    let { seq, head } = this.#end;
    const lines = entries.map((entry) => {
      const line = formatLine(entry, { seq: seq + 1, at, prev: head });
      seq += 1;
      head = sha256Hex(line);
      return line;
    });
    const bytes = Buffer.concat(lines);
    const { handle } = file;
    if (handle === null) throw new Error('the file is not open');
    for (let done = 0; done < bytes.length;)
      done += (await handle.write(bytes, done, bytes.length - done, file.bytes + done)).bytesWritten;
    await (this.#options.sync ?? dataSync)(handle);
    this.#guard('after');
    file.hash.update(bytes);
    file.bytes += bytes.length;
    return { seq, head, at };
  }

  /** Half of a group must not stay, or the next line would follow something that no caller was told of. */
  async #takeBack(file: CurrentFile, isNew: boolean): Promise<void> {
    await file.handle?.close().catch(() => undefined);
    file.handle = null;
    const name = path.join(this.#options.directory, file.name);
    // Another process may have added lines of its own.
    if (this.#isStale) return;
    // Where that fails too, `#lookAtCurrent` finds the rest before the next line.
    await (isNew ? rm(name, { force: true }) : truncate(name, file.bytes)).catch(() => undefined);
  }

  #guard(when: 'before' | 'after'): void {
    try {
      this.#options.guard?.(when);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  async #findAgain(): Promise<void> {
    await this.#current?.handle?.close().catch(() => undefined);
    const { current, end, before, damages } = await findEnd(this.#options.directory);
    this.#current = current;
    this.#end = end;
    this.#before = before;
    this.#note(damages);
    this.#isStale = false;
  }

  #note(damages: Found['damages']): void {
    for (const { text, entry } of damages) {
      this.#options.log(text);
      this.#damages.push(entry);
    }
  }

  /** Somebody may have removed or changed the file meanwhile. Then the log goes on in a new one. */
  async #lookAtCurrent(): Promise<void> {
    const file = this.#current;
    if (file === null) return;
    const name = path.join(this.#options.directory, file.name);
    const found = await stat(name).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    });
    if (found !== null && file.handle === null && found.size > file.bytes) {
      // What a failed write of this process left.
      await truncate(name, file.bytes);
      return;
    }
    const own = file.handle === null ? found : await file.handle.stat();
    if (found !== null && own?.ino === found.ino && own.dev === found.dev && found.size === file.bytes)
      return;
    const what = found === null ? 'was removed' : 'was changed by something else';
    this.#options.log(
      `The custody log ${name} ${what} while Node-RED was running. It goes on in a new file, which tells of it. ` +
        'Find out who changed it, and restore the file from a backup under another name to compare.'
    );
    await file.handle?.close().catch(() => undefined);
    makePrivateDirectory(this.#options.directory);
    this.#before = { name: file.name, sha256: digestOf(file) };
    this.#current = null;
    const details = { kind: found === null ? 'removed' : 'replaced', file: file.name };
    this.#damages.push({ event: 'damage', actor: 'log', details });
  }

  async #reopened(): Promise<CurrentFile> {
    const file = this.#current;
    if (file === null) throw new Error('there is no file to continue');
    file.handle ??= await open(path.join(this.#options.directory, file.name), 'r+');
    return file;
  }

  async #begin(at: number, day: string): Promise<CurrentFile> {
    const known = this.#current?.name ?? this.#before?.name;
    const number = (known === undefined ? 0 : (custodyFileNumber(known) ?? 0)) + 1;
    const name = custodyFileName(number, at);
    // Never over another file: what has this name is not ours to replace.
    const handle = await open(path.join(this.#options.directory, name), 'wx', 0o600);
    await syncDirectory(realFileSystem, this.#options.directory);
    return { name, number, day, bytes: 0, hash: createHash('sha256'), handle };
  }

  #opening(): CustodyEntry {
    const before =
      this.#current === null ? this.#before : { name: this.#current.name, sha256: digestOf(this.#current) };
    const details = { previous_file: before?.name ?? null, previous_sha256: before?.sha256 ?? NO_HASH };
    return { event: 'opened', actor: 'log', details };
  }
}

function dataSync(handle: FileHandle): Promise<void> {
  return handle.datasync();
}

function digestOf({ hash }: CurrentFile): string {
  return hash.copy().digest('hex');
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function notWritten(error: unknown): Error {
  if (error instanceof CodedError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CodedError(
    'STORE_FAILED',
    `The custody log could not be written (${reason}). Look at the disk of the user directory of Node-RED; it is tried ` +
      'again.',
    { retryable: true, cause: error }
  );
}
