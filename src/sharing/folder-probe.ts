import { monotonicNow } from '../clock/clocks';
import { CodedError } from '../errors/coded-error';
import type { ProbeFile } from '../store/folder/probe-file';

/** Another instance that has the same node. */
export interface ProbedPeer {
  id: string;
  host: string;
  /** Name of its file; an empty text where there is none: it stores elsewhere, or cannot write. */
  probe: string;
}

/** What is known of the folder of a node. */
export type FolderFinding =
  /** Nothing was heard of the other instances yet. */
  | { kind: 'unheard' }
  /** All others see it, as far as is known. */
  | { kind: 'shared' }
  /** An instance is new here, and its file has not been found yet. */
  | { kind: 'looking' }
  /** These hosts, at least one, store into another folder. */
  | { kind: 'apart'; hosts: readonly string[] };

export interface FolderProbeOptions {
  /** Milliseconds after which a file that is not found is missing. Default a minute: network file systems remember what was not there. */
  graceMs?: number;
  /** Default: the monotonic clock, in milliseconds. */
  now?: () => number;
}

/** What is known of another instance. */
interface Sight {
  host: string;
  probe: string;
  /** Its file was found, maybe that of before its last start. */
  wasSeen: boolean;
  /** Since when its file is not found; null: it is there. */
  missingSince: number | null;
}

/** Unused files are swept after a month. */
const RENEWED_MS = 24 * 60 * 60 * 1000;
const UNHEARD: FolderFinding = { kind: 'unheard' };

/**
 * Finds out whether all instances of a node store into one folder, whatever its name is on each machine. Each leaves a file there and
 * tells the others its name, which no other file has. An instance that does not find it has another folder, and would store recordings
 * where the others do not look.
 */
export class FolderProbe {
  readonly #file: ProbeFile;
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #sights = new Map<string, Sight>();
  #wasHeard = false;
  /** When the file was made; null: not yet. */
  #madeAt: number | null = null;

  constructor(file: ProbeFile, { graceMs = 60_000, now = monotonicNow }: FolderProbeOptions = {}) {
    this.#file = file;
    this.#graceMs = graceMs;
    this.#now = now;
  }

  /** The name of the file, for the report of this instance; an empty text until there is one. */
  get name(): string {
    return this.#madeAt === null ? '' : this.#file.name;
  }

  /**
   * Leaves the file of this instance, unless it is there. Where it was and is no longer, the folder may be another one by now: what
   * was found there before counts for nothing.
   *
   * @throws CodedError `STORE_FAILED`
   */
  async leave(): Promise<void> {
    const isThere = this.#madeAt !== null && (await this.#file.isThere(this.#file.name));
    if (isThere && this.#now() - (this.#madeAt ?? 0) < RENEWED_MS) return;
    if (!isThere) for (const sight of this.#sights.values()) sight.wasSeen = false;
    await this.#file.make();
    this.#madeAt = this.#now();
  }

  /**
   * Looks for the files of the others. One that is new has to be found first; one that was found may be missing for the time of grace.
   *
   * @param peers null: nothing is heard of them, so what is missing now may just be gone
   * @throws CodedError `STORE_FAILED` when the folder does not say
   */
  async look(peers: readonly ProbedPeer[] | null): Promise<FolderFinding> {
    if (peers !== null) this.#heard(peers);
    if (!this.#wasHeard) return UNHEARD;
    for (const sight of this.#sights.values()) {
      if (peers === null && sight.wasSeen) continue;
      if (await this.#file.isThere(sight.probe)) [sight.wasSeen, sight.missingSince] = [true, null];
      else sight.missingSince ??= this.#now();
    }
    return this.#finding();
  }

  /** Removes the file. Never throws. */
  async remove(): Promise<void> {
    if (this.#madeAt !== null) await this.#file.remove();
    this.#madeAt = null;
  }

  #heard(peers: readonly ProbedPeer[]): void {
    this.#wasHeard = true;
    const there = new Set<string>();
    for (const { id, host, probe } of peers) {
      if (probe === '') continue;
      there.add(id);
      const known = this.#sights.get(id) ?? { wasSeen: false, missingSince: null };
      this.#sights.set(id, { ...known, host, probe });
    }
    for (const id of this.#sights.keys()) if (!there.has(id)) this.#sights.delete(id);
  }

  #finding(): FolderFinding {
    const missing = [...this.#sights.values()].filter(({ missingSince }) => missingSince !== null);
    const past = missing.filter(({ missingSince }) => this.#now() - (missingSince ?? 0) >= this.#graceMs);
    if (past.length > 0) return { kind: 'apart', hosts: [...new Set(past.map(({ host }) => host))].sort() };
    return missing.some(({ wasSeen }) => !wasSeen) ? { kind: 'looking' } : { kind: 'shared' };
  }
}

/** Machines that an error names. */
const MOST_HOSTS = 5;

/** The error of a node whose folder is not that of other instances. @param hosts at least one */
export function notShared(hosts: readonly string[]): CodedError {
  const named = hosts.slice(0, MOST_HOSTS).join(', ') + (hosts.length > MOST_HOSTS ? ', …' : '');
  return new CodedError(
    'BAD_SETTING',
    `"Folder" leads to another folder than on ${named}: what was left there is not found here. Downloads wait until all machines that ` +
      'share the work through "Queue" see one folder. Mount the same network folder on each of them and enter its absolute path as ' +
      '"Folder", or choose a bucket in "Store in", or take the "Queue" out of a node that works for itself.'
  );
}
