import { createHash, randomUUID } from 'node:crypto';
import { monotonicNow } from '../clock/clocks';
import { CodedError } from '../errors/coded-error';

/** Files in the folder of a download node. Names have no separators. */
export interface ProbeFiles {
  /** @returns null when there is no such file, or it cannot be read; at most a few hundred characters */
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Another instance that has the same node, and what it says its file holds. */
export interface ProbedPeer {
  id: string;
  host: string;
  probe: string;
}

export interface FolderProbeOptions {
  /** Milliseconds after which a file that is not seen is missing. Default a minute: network file systems remember what was not there. */
  graceMs?: number;
  /** Default: the monotonic clock, in milliseconds. */
  now?: () => number;
}

/**
 * Finds out whether all instances of a node store into one folder. Each leaves a file there and tells the others what it holds;
 * who cannot read it has another folder under the same name, and would store each recording where the others do not look.
 */
export class FolderProbe {
  /** What the file holds; for the report of this instance. */
  readonly token = randomUUID();
  readonly #files: ProbeFiles;
  readonly #id: string;
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #unseen = new Map<string, number>();

  /** @param id of this instance */
  constructor(
    files: ProbeFiles,
    id: string,
    { graceMs = 60_000, now = monotonicNow }: FolderProbeOptions = {}
  ) {
    this.#files = files;
    this.#id = id;
    this.#graceMs = graceMs;
    this.#now = now;
  }

  /** Leaves the file. Throws as writing does. */
  async leave(): Promise<void> {
    await this.#files.write(nameOf(this.#id), this.token);
  }

  /**
   * Looks for the files of the others.
   *
   * @returns the hosts whose files have not been seen for the whole time of grace
   */
  async missing(peers: readonly ProbedPeer[]): Promise<string[]> {
    const hosts = new Set<string>();
    for (const id of this.#unseen.keys()) if (!peers.some((peer) => peer.id === id)) this.#unseen.delete(id);
    for (const { id, host, probe } of peers) {
      // One that stores elsewhere, or has not begun.
      if (probe === '') continue;
      const isSeen = (await this.#files.read(nameOf(id))) === probe;
      if (isSeen) this.#unseen.delete(id);
      else if (!this.#unseen.has(id)) this.#unseen.set(id, this.#now());
      if (!isSeen && this.#now() - (this.#unseen.get(id) ?? 0) >= this.#graceMs) hosts.add(host);
    }
    return [...hosts].sort();
  }

  async remove(): Promise<void> {
    await this.#files.remove(nameOf(this.#id));
  }
}

/** The error of a node whose folder is not that of other instances. @param hosts at least one */
export function notShared(hosts: readonly string[]): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `"Folder" must lead to one folder on every machine that shares the work, and this one does not see the files of ${hosts.join(', ')}. ` +
      'Mount the same network folder at the same place everywhere, or store into a bucket.'
  );
}

/** Ids come from Redis, which may hold anything. */
function nameOf(id: string): string {
  return `instance-${createHash('sha256').update(id).digest('hex').slice(0, 32)}.probe`;
}
