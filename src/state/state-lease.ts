import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs';
import path from 'node:path';
import { makePrivateDirectory } from './private-directory';
import {
  identityText,
  isOfAnotherBoot,
  isProvablyAlive,
  isProvablyDead,
  readIdentity,
  type ProcessIdentity,
  type ProcessTable,
  systemProcesses
} from './process-identity';

/** Directory of the leases, inside that of the state. */
const LEASES = 'owner';

/** Milliseconds without a renewal after which an owner that cannot be seen counts as gone. */
export const STALE_MS = 20_000;

/** Milliseconds that a missing lease is left to its owner: after a removal the owner recreates it. */
const VANISHED_MS = 5000;

/** The result of a check of another process's lease. */
export interface OtherOwner {
  /** Null when its lease cannot be read. */
  identity: ProcessIdentity | null;
}

export interface LeaseOptions {
  /** Milliseconds of a monotonic clock. */
  now: () => number;
  /** Whether the directory is on a disk that only one running kernel uses. */
  ofOneKernel: boolean;
  processes?: ProcessTable;
  /** Gives a file a second name, which must be free. */
  link?: (file: string, name: string) => void;
}

type Mark = 'held' | 'free';

/**
 * The right of one process to use the state. Leases are files with rising numbers, and the highest one
 * counts. It never disappears before there is a higher one, and a higher one is created under a name that
 * must be free: of two processes that take over from the same owner, one finds the name taken. An owner that
 * was stopped and resumes finds the higher number.
 */
export class StateLease {
  readonly #identity: ProcessIdentity;
  readonly #options: LeaseOptions;
  readonly #directory: string;
  readonly #processes: ProcessTable;
  #held: { number: number; handle: number; inode: number; device: number } | null = null;
  #renewals = 0;
  #renewedAt = 0;
  /** What was seen of another owner, and when it last changed. */
  #seen: { what: string; since: number } | null = null;

  /** @param directory of the state */
  constructor(directory: string, identity: ProcessIdentity, options: LeaseOptions) {
    this.#identity = identity;
    this.#options = options;
    this.#directory = path.join(directory, LEASES);
    this.#processes = options.processes ?? systemProcesses;
  }

  /**
   * Takes the lease when it is free, its owner has certainly ended, or has not renewed it for `STALE_MS` while
   * we watched. Call it repeatedly.
   *
   * @returns null when this process has it now
   * @throws an error of the file system
   */
  acquire(): OtherOwner | null {
    if (this.#held !== null && this.holds() === 'held') return null;
    this.#drop();
    makePrivateDirectory(this.#directory);
    const number = this.#highest();
    const owner = number === 0 ? null : this.#read(number);
    if (!this.#mayFollow(number, owner)) return { identity: owner?.identity ?? null };
    if (!this.#take(number + 1)) return { identity: this.#read(this.#highest())?.identity ?? null };
    this.#seen = null;
    return null;
  }

  /**
   * Whether the lease is still ours; `vanished` when it was removed with everything beside it.
   *
   * @throws an error of the file system: it cannot be known
   */
  holds(): 'held' | 'lost' | 'vanished' {
    if (this.#held === null) return 'lost';
    const { number, inode, device } = this.#held;
    const file = statSync(this.#file(number), { throwIfNoEntry: false });
    if (file?.ino === inode && file.dev === device)
      return existsSync(this.#file(number + 1)) ? 'lost' : 'held';
    return file === undefined && this.#highest() === 0 ? 'vanished' : 'lost';
  }

  /** Shows the others that the owner is alive. A failure is retried with the next renewal. */
  renew(): void {
    if (this.#held === null) return;
    this.#renewals += 1;
    try {
      this.#write(this.#held.handle, 'held');
      this.#renewedAt = this.#options.now();
    } catch {
      // A full or broken disk. Not reported: each write first checks whether the lease still holds.
    }
  }

  /** Milliseconds since the others last saw a sign of life. */
  get age(): number {
    return this.#options.now() - this.#renewedAt;
  }

  /** Releases the lease: the next process need not check for this one. Never throws. */
  release(): void {
    if (this.#held !== null) {
      try {
        this.#write(this.#held.handle, 'free');
      } catch {
        // The next process finds this one gone.
      }
    }
    this.#drop();
  }

  #mayFollow(number: number, owner: { mark: Mark; identity: ProcessIdentity; text: string } | null): boolean {
    if (number === 0) return this.#seen === null || this.#unchangedFor('vanished') >= VANISHED_MS;
    const unchanged = this.#unchangedFor(`${number} ${owner?.text ?? ''}`);
    if (owner !== null) {
      const { mark, identity } = owner;
      if (mark === 'free' || identity.token === this.#identity.token) return true;
      if (isProvablyDead(identity, this.#processes)) return true;
      if (this.#options.ofOneKernel && isOfAnotherBoot(identity, this.#processes)) return true;
      // A stopped process renews nothing, but may resume.
      if (isProvablyAlive(identity, this.#processes)) {
        if (this.#seen !== null) this.#seen.since = this.#options.now();
        return false;
      }
    }
    return unchanged >= STALE_MS;
  }

  #unchangedFor(what: string): number {
    const now = this.#options.now();
    if (this.#seen?.what !== what) this.#seen = { what, since: now };
    return now - this.#seen.since;
  }

  /** @returns false when another process was faster */
  #take(number: number): boolean {
    const handle = this.#publish(number);
    if (handle === null) return false;
    const { ino, dev } = fstatSync(handle);
    this.#held = { number, handle, inode: ino, device: dev };
    this.#renewedAt = this.#options.now();
    // A process that decided long ago may have taken a number that was used and tidied away meanwhile.
    if (this.#highest() !== number) {
      rmSync(this.#file(number), { force: true });
      this.#drop();
      return false;
    }
    this.#tidy(number);
    return true;
  }

  /** @returns an open file that has the number now, or null when the number was taken */
  #publish(number: number): number | null {
    const draft = path.join(this.#directory, `draft-${this.#identity.token}`);
    rmSync(draft, { force: true });
    const handle = this.#create(draft);
    try {
      (this.#options.link ?? linkSync)(draft, this.#file(number));
      return handle;
    } catch (error) {
      closeSync(handle);
      const { code } = error as NodeJS.ErrnoException;
      // Another process that took over tidies drafts away, too.
      if (code === 'EEXIST' || code === 'ENOENT') return null;
    } finally {
      rmSync(draft, { force: true });
    }
    try {
      // Without hard links; a process that checks at this moment sees an empty file, and waits.
      return this.#create(this.#file(number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
      throw error;
    }
  }

  #create(file: string): number {
    const handle = openSync(file, 'wx+', 0o600);
    try {
      this.#write(handle, 'held');
      return handle;
    } catch (error) {
      closeSync(handle);
      rmSync(file, { force: true });
      throw error;
    }
  }

  /** Lowest first: an owner that resumes must not find its own lease and no higher one. */
  #tidy(number: number): void {
    try {
      for (const each of this.#numbers()) if (each < number) rmSync(this.#file(each), { force: true });
      for (const name of readdirSync(this.#directory))
        if (name.startsWith('draft-')) rmSync(path.join(this.#directory, name), { force: true });
    } catch {
      // The remains take a few bytes until the next time.
    }
  }

  #write(handle: number, mark: Mark): void {
    const renewals = String(this.#renewals).padStart(12, '0');
    writeSync(handle, `${identityText(this.#identity)}\n${mark} ${renewals}\n`, 0, 'latin1');
  }

  #read(number: number): { mark: Mark; identity: ProcessIdentity; text: string } | null {
    let text: string;
    try {
      text = readFileSync(this.#file(number), 'latin1');
    } catch {
      return null;
    }
    const [name = '', state = ''] = text.split('\n');
    const identity = readIdentity(name);
    const mark = state.slice(0, 4);
    return identity !== null && (mark === 'held' || mark === 'free') ? { mark, identity, text } : null;
  }

  #numbers(): number[] {
    try {
      return readdirSync(this.#directory)
        .filter((name) => /^\d{8}$/.test(name))
        .map(Number)
        .sort((a, b) => a - b);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** 0 if there is none. */
  #highest(): number {
    return this.#numbers().at(-1) ?? 0;
  }

  #file(number: number): string {
    return path.join(this.#directory, String(number).padStart(8, '0'));
  }

  #drop(): void {
    if (this.#held !== null) closeSync(this.#held.handle);
    this.#held = null;
  }
}
