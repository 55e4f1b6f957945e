import { CodedError } from '../errors/coded-error';
import { unexpected } from '../archive/download/archive-faults';
import type { Cluster } from './cluster';
import { type FolderFinding, type FolderProbe, notShared } from './folder-probe';
import type { SharedJobs } from './jobs/shared-jobs';
import type { RedisConnection } from './redis-connection';

export interface FolderWatchDeps {
  /** Id of the download node. */
  node: string;
  probe: Pick<FolderProbe, 'name' | 'leave' | 'look' | 'remove'>;
  cluster: Pick<Cluster, 'beat' | 'probes'>;
  connection: Pick<RedisConnection, 'isAway' | 'on'>;
  /** The jobs of the node. */
  jobs: Pick<SharedJobs, 'pause' | 'resume'>;
  /** Told once when others store into another folder, until they no longer do. Must not throw, as the others. */
  onApart: (error: CodedError) => void;
  /** All see one folder again. */
  onShared: () => void;
  /** Told once when the folder cannot be written or looked into, until it can. */
  onFault: (error: CodedError) => void;
  /** Milliseconds between two looks. Default 3000. */
  lookMs?: number;
}

const LOOK_MS = 3000;

/** Lets the shared jobs of a node with a folder run only while all instances store into the same one. */
export class FolderWatch {
  readonly #deps: FolderWatchDeps;
  #finding: FolderFinding = { kind: 'unheard' };
  #timer: NodeJS.Timeout | undefined;
  #stop: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #wasApart = false;
  #hasFailed = false;
  #isEnded = false;

  constructor(deps: FolderWatchDeps) {
    this.#deps = deps;
  }

  /** As it was at the last look. */
  get finding(): FolderFinding {
    return this.#finding;
  }

  /** For the report of this instance. */
  get probe(): string {
    return this.#deps.probe.name;
  }

  /** The jobs wait for the first look. */
  begin(): void {
    const { connection, lookMs = LOOK_MS } = this.#deps;
    this.#timer = setInterval(() => void this.look(), lookMs).unref();
    // From now on, others can be asked.
    this.#stop = connection.on('back', () => {
      this.#apply();
      void this.#lookAnew();
    });
    this.#apply();
    void this.#lookAnew();
  }

  /** Resolves when the file is gone, which a network share that does not answer delays. Never rejects. */
  async end(): Promise<void> {
    this.#isEnded = true;
    clearInterval(this.#timer);
    this.#stop?.();
    await this.#looking;
    await this.#deps.probe.remove();
  }

  /** Never rejects. A folder that does not answer is asked once at a time. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  /** Learns of the others first, and tells them of the file. */
  async #lookAnew(): Promise<void> {
    await this.look();
    await this.#deps.cluster.beat();
    await this.look();
  }

  async #lookNow(): Promise<void> {
    if (this.#isEnded) return;
    const { probe, cluster, node } = this.#deps;
    let fault: unknown;
    // A folder that is read-only can be looked into.
    await probe.leave().catch((error: unknown) => (fault = error));
    try {
      this.#finding = await probe.look(cluster.probes(node));
    } catch (error) {
      fault ??= error;
    }
    if (this.#hasEnded()) return;
    this.#report(fault);
    this.#apply();
  }

  #report(fault: unknown): void {
    const { onFault, onApart, onShared } = this.#deps;
    if (fault !== undefined && !this.#hasFailed)
      onFault(fault instanceof CodedError ? fault : unexpected(fault));
    this.#hasFailed = fault !== undefined;
    const { kind } = this.#finding;
    if (this.#finding.kind === 'apart' && !this.#wasApart) onApart(notShared(this.#finding.hosts));
    if (kind === 'shared' && this.#wasApart) onShared();
    this.#wasApart = kind === 'apart' || (this.#wasApart && kind !== 'shared');
  }

  #hasEnded(): boolean {
    return this.#isEnded;
  }

  #apply(): void {
    const { jobs, connection } = this.#deps;
    const { kind } = this.#finding;
    // While Redis has not answered yet, this instance may work alone.
    if (kind === 'shared' || (kind === 'unheard' && connection.isAway)) jobs.resume();
    else jobs.pause();
  }
}
