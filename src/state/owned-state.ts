import { existsSync } from 'node:fs';
import path from 'node:path';
import { CodedError } from '../errors/coded-error';
import { openState } from './open-state';
import { makePrivateDirectory } from './private-directory';
import { type ProcessIdentity, instanceId, processIdentity } from './process-identity';
import type { StateDatabase } from './state-database';
import { type DiskTable, isOfOneKernel, networkFileSystem, systemDisks } from './state-disk';
import { type OtherOwner, StateLease } from './state-lease';

/** Milliseconds between two renewals of the lease. */
const RENEW_MS = 5000;

/** Milliseconds without a renewal after which the next commit renews first: the process was stopped for a while. */
const LATE_MS = 2 * RENEW_MS;

/** Milliseconds between two checks of the files, and of the lease of another owner. */
const LOOK_MS = 1000;

export interface OwnedStateOptions {
  /** For what the owner of the machine should know; whole sentences. */
  log: (text: string) => void;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  disks?: DiskTable;
}

const owned = new Set<StateLease>();
let isReleasing = false;

function releaseAll(): void {
  for (const lease of owned) lease.release();
}

/**
 * The state of a directory for as long as this process is its only owner. While another process owns it, there
 * is no state; this process checks every second and takes over by itself when the other one has ended.
 */
export class OwnedState {
  readonly #directory: string;
  readonly #options: OwnedStateOptions;
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;
  #identity: ProcessIdentity | undefined;
  #lease: StateLease | undefined;
  #database: StateDatabase | undefined;
  #problem: CodedError | null = null;
  #losses = 0;
  #timer: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  /** @param directory of the state; created when it is first used */
  constructor(directory: string, options: OwnedStateOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Why the state belongs to another process, or cannot be kept in its place; null while unknown. */
  get problem(): CodedError | null {
    return this.#problem;
  }

  /**
   * How often this process has lost the state to another one: what it knew of the files may be wrong since
   * then.
   */
  get losses(): number {
    return this.#losses;
  }

  /**
   * Who this process is: part of every name that it must not share with another process.
   *
   * @throws an error of the file system when the directory can be neither read nor written
   */
  get identity(): ProcessIdentity {
    this.#identity ??= processIdentity(instanceId(this.#directory));
    return this.#identity;
  }

  /**
   * The state, which stays open while the process runs.
   *
   * @throws CodedError `STATE_IN_USE` while another process owns it, `BAD_SETTING` where it cannot be kept;
   *   an error of the file system or of LMDB when it cannot be opened, and the next call tries again
   */
  database(): StateDatabase {
    if (this.#problem !== null) throw this.#problem;
    if (this.#database !== undefined) return this.#database;
    this.#refuseNetwork();
    const other = this.#acquired();
    if (other !== null) throw this.#lost(other);
    this.#begin();
    this.#database = openState(this.#directory, {
      guard: () => this.guard(),
      onMoved: (what) => {
        instanceId(this.#directory, this.identity.instance);
        this.#options.log(MOVED[what]);
      },
      onDamaged: (asideAt) => this.#options.log(damagedText(asideAt))
    });
    return this.#database;
  }

  /**
   * @param listener called when `problem` has changed: another process took the state over, or this one did
   * @returns a function that removes the listener
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Closes the state and releases it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#renewal);
    await this.#database?.close();
    this.#database = undefined;
    if (this.#lease === undefined) return;
    this.#lease.release();
    owned.delete(this.#lease);
  }

  #refuseNetwork(): void {
    makePrivateDirectory(this.#directory);
    const name = networkFileSystem(this.#directory, this.#options.disks);
    if (name === null) return;
    this.#problem = new CodedError(
      'BAD_SETTING',
      `The user directory of Node-RED is on a network file system (${name}), where the state in ${this.#directory} ` +
        'would be damaged. Start Node-RED with a user directory on a local disk (--userDir); only the folder of the ' +
        'recordings may be on a network.'
    );
    throw this.#problem;
  }

  #acquired(): OtherOwner | null {
    this.#lease ??= new StateLease(this.#directory, this.identity, {
      now: this.#now,
      ofOneKernel: isOfOneKernel(this.#directory, this.#options.disks ?? systemDisks)
    });
    return this.#lease.acquire();
  }

  /** Starts to renew the lease, and to watch the files. */
  #begin(): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    if (!isReleasing) process.once('exit', releaseAll);
    isReleasing = true;
    owned.add(lease);
    this.#renewal ??= setInterval(() => lease.renew(), RENEW_MS).unref();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    try {
      if (this.#problem === null) this.#lookAfter();
      else this.#takeOver();
    } catch {
      // The directory cannot be read now; a write meets the same fault and reports it.
    }
  }

  /** Removed files are rewritten, even without new writes. */
  #lookAfter(): void {
    if (this.#lease?.holds() === 'held' && this.#database?.isInPlace() !== false) return;
    void this.#database?.written();
  }

  #takeOver(): void {
    if (this.#acquired() !== null) return;
    this.#problem = null;
    this.#begin();
    this.#options.log(
      'The state of the Telnyx nodes is this process’s now: the other one that used it has ended.'
    );
    this.#tell();
  }

  /**
   * Call it before and after every write. Afterwards it looks at the files only if the process was stopped meanwhile for long
   * enough to be taken for dead.
   *
   * @throws CodedError `STATE_IN_USE` when the state belongs to another process; an error when its place is
   *   gone
   */
  guard(when: 'before' | 'after' = 'before'): void {
    if (this.#problem !== null) throw this.#problem;
    const lease = this.#lease;
    if (lease === undefined || (when === 'after' && lease.age <= LATE_MS)) return;
    // Others may consider this process dead, and be checking at this moment.
    if (lease.age > LATE_MS) lease.renew();
    if (lease.holds() === 'held') return;
    const userDirectory = path.dirname(this.#directory);
    if (!existsSync(userDirectory)) throw new Error(`The directory ${userDirectory} was removed.`);
    // Removed: it has no other owner, and is still ours. Or taken over while this process was stopped.
    const other = lease.acquire();
    if (other !== null) throw this.#lost(other);
  }

  #lost(other: OtherOwner): CodedError {
    const problem = new CodedError('STATE_IN_USE', inUseText(this.#directory, other), { retryable: true });
    this.#problem = problem;
    this.#losses += 1;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
    if (this.#lease !== undefined) owned.delete(this.#lease);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    this.#tell();
    return problem;
  }

  #tell(): void {
    for (const listener of this.#listeners) setImmediate(listener);
  }
}

const MOVED = {
  restored:
    'The state of the Telnyx nodes was removed while Node-RED was running. It was rewritten from memory: no job and no ' +
    'delivery that waits is lost, but the older parts of the delivery log are. To begin without it, stop Node-RED before you ' +
    'remove it.',
  replaced:
    'The state of the Telnyx nodes was replaced by other files while Node-RED was running. What is there now is used; ' +
    'what was written to the earlier files is not in it. Stop Node-RED before you restore a backup.'
};

function damagedText(asideAt: string): string {
  return (
    `The state of the Telnyx nodes was damaged, perhaps by a power cut, and is in ${asideAt} now. They ` +
    'continue without it: deliveries of the last 24 hours may arrive twice, and downloads that were under way ' +
    'are forgotten. Let a recording list node look for the recordings that are missing.'
  );
}

function inUseText(directory: string, { identity }: OtherOwner): string {
  const who =
    identity === null
      ? 'Another process'
      : identity.pid === process.pid
        ? 'Another copy of this package in this process, or a process of another container or machine,'
        : `Process ${identity.pid}, of this machine or of another container,`;
  return (
    `${who} uses the state in ${directory}, and two cannot. Give each Node-RED a user directory of its own (--userDir), ` +
    'or stop the other one: then this one takes over by itself within 30 seconds. Until then it accepts nothing.'
  );
}
