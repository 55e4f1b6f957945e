import { monotonicNow } from '../../clock/clocks';
import { KeyedMutex } from '../../concurrency/keyed-runs';
import path from 'node:path';
import type { CheckpointCopies } from './checkpoint-copies';
import { signClosedFiles, type SignedCheckpoint } from './checkpoint';
import { type ClockDoubt, ClockGuard } from './clock-guard';
import { CustodyLog, type CustodyLogOptions, type CustodyPlace } from './custody-log';
import type { CustodyEntry } from './custody-line';
import { type SigningKey, publicKeyFile, signingKey } from './signing-key';

/** The directory of the custody log, below that of the state. */
export const CUSTODY_DIRECTORY = 'custody';

/** Gets a proof from outside that a checkpoint existed, and keeps it beside the checkpoint. */
export interface Anchor {
  /**
   * @param directory of the log
   * @returns what the log tells of it
   * @throws CodedError when there is none; it is tried again the next time
   */
  stamp(directory: string, checkpoint: SignedCheckpoint): Promise<CustodyEntry>;
  /** The checkpoints that still lack a proof. */
  missing(directory: string): Promise<readonly SignedCheckpoint[]>;
}

/** Remembers a time beyond the end of the process. Milliseconds since 1970. */
export interface TrustedTime {
  /** Undefined: nothing is remembered. */
  get: () => number | undefined;
  /** May be lost in a crash. */
  set: (time: number) => void;
}

export interface CustodyOptions extends Omit<CustodyLogOptions, 'directory' | 'onClosed'> {
  /** Directory of the state. */
  state: string;
  /** The id of the installation. */
  instance: string;
  /** Receives what is no trouble, in whole sentences. Default: `log`. */
  note?: (text: string) => void;
  /** Null: checkpoints are signed only. */
  anchor?: Anchor | null;
  /** Null: checkpoints stay on this machine. */
  copies?: Pick<CheckpointCopies, 'bring'> | null;
  /** Where the last time that was not in doubt is remembered; null: the last line counts as such. */
  trusted?: TrustedTime | null;
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number;
}

/** The custody log of an installation, the checkpoints that close each of its days, and what it says of the clock. */
export class Custody {
  readonly clock: ClockGuard;
  readonly directory: string;
  /** When the last line was written before this start; milliseconds since 1970, NaN: it is a new log. */
  readonly resumedFrom: number;
  readonly #log: CustodyLog;
  readonly #key: SigningKey;
  readonly #options: CustodyOptions;
  readonly #daily = new KeyedMutex();
  #doubt: ClockDoubt | null = null;

  private constructor(options: CustodyOptions, log: CustodyLog, key: SigningKey) {
    this.#options = options;
    this.#log = log;
    this.#key = key;
    this.resumedFrom = log.last.at;
    this.directory = path.join(options.state, CUSTODY_DIRECTORY);
    const trusted = options.trusted?.get() ?? log.last.at;
    this.clock = new ClockGuard(options.now ?? Date.now, options.elapsed ?? monotonicNow, trusted);
  }

  /**
   * Opens the log and begins to write: its first line says that it was started.
   *
   * @throws the system's error; CodedError `BAD_SETTING` for a key that is none, `STORE_FAILED`
   */
  static async open(options: CustodyOptions): Promise<Custody> {
    const directory = path.join(options.state, CUSTODY_DIRECTORY);
    const log = await CustodyLog.open({ ...options, directory });
    try {
      const key = await signingKey(options.state, directory);
      const custody = new Custody(options, log, key);
      await custody.append({
        event: 'start',
        actor: 'node-red',
        details: { key: key.id, new_key: key.isNew }
      });
      if (key.isNew)
        (options.note ?? options.log)(
          `A key was made that signs the custody log. Keep a copy of ${path.join(directory, publicKeyFile(key.id))} where ` +
            'nobody who may write to this machine can change it: it proves later which log is yours.'
        );
      return custody;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** As `CustodyLog.append`. */
  async append(entry: CustodyEntry): Promise<CustodyPlace> {
    const place = await this.#log.append(entry);
    const before = this.clock.trusted;
    this.clock.noteLine(place.at);
    if (this.clock.trusted !== before) this.#options.trusted?.set(this.clock.trusted);
    return place;
  }

  /**
   * Closes the day that has ended, if one has: begins the next file, signs what is complete, and has it stamped. Call it a few
   * times a day.
   *
   * @throws CodedError, or the system's error; what was done stays, and the rest is done the next time
   */
  daily(): Promise<void> {
    return this.#daily.run('close', () => this.#closeDays());
  }

  /** Says that it was stopped, and waits for what is being written. */
  async close(): Promise<void> {
    try {
      await this.append({ event: 'stop', actor: 'node-red' });
    } finally {
      await this.#log.close();
    }
  }

  async #closeDays(): Promise<void> {
    await this.#tellDoubt();
    await this.#log.turnPage();
    const { directory } = this;
    const { instance, now = Date.now, anchor = null } = this.#options;
    const signed = await signClosedFiles({ directory, instance, key: this.#key, now }, this.#log.currentFile);
    for (const { name, sha256 } of signed)
      await this.append({ event: 'checkpoint', actor: 'log', sha256, details: { file: name } });
    try {
      if (anchor !== null)
        for (const checkpoint of await anchor.missing(directory))
          await this.append(await anchor.stamp(directory, checkpoint));
    } finally {
      // Also without a time stamp, which follows.
      await this.#options.copies?.bring(directory);
    }
  }

  /** A jump of the clock explains later why times do not follow one another, and why nothing was deleted. */
  async #tellDoubt(): Promise<void> {
    const doubt = this.clock.doubt();
    if (doubt === this.#doubt) return;
    await this.append({ event: 'clock-jump', actor: 'log', details: { doubt: doubt ?? 'none' } });
    this.#doubt = doubt;
  }
}
