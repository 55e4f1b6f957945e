import type { Difference, NodeReport } from '../../src/sharing/cluster';
import type { FolderFinding } from '../../src/sharing/folder-probe';
import type { FolderWatch } from '../../src/sharing/folder-watch';
import type { SharedJobs } from '../../src/sharing/jobs/shared-jobs';
import { KEY_LABEL, type SharedQueue } from '../config/queue/shared-queue';

/** What a download node shows of the instances that share its work. */
export interface ClusterView {
  /** Redis is away: of the others nothing is known. */
  isAway: boolean;
  /** Jobs that run in this instance, and in all. */
  here: number;
  running: number;
  /** This one included. */
  instances: number;
  /** Jobs that no instance works on. */
  waiting: number;
  /** Machines on which the node has other settings. */
  differing: readonly string[];
  /** Null: the node stores into none. */
  folder: FolderFinding | null;
}

type SharedTally = Pick<SharedJobs, 'tally'>;
type WatchedFolder = Pick<FolderWatch, 'finding' | 'probe'>;

export interface ClusterWatchOptions {
  queue: Pick<SharedQueue, 'cluster' | 'connection' | 'reportNode'>;
  /** Id of the download node. */
  node: string;
  /** As `toldSettings`. */
  settings: Readonly<Record<string, string>>;
  /** Told when there may be something else to show. */
  onLook: () => void;
  /** Told once when settings differ, until they have been equal again. */
  onDifferences: (text: string) => void;
  /** Milliseconds between two looks. Default 3000. */
  lookMs?: number;
}

const LOOK_MS = 3000;

/** Tells the other instances of a download node, and looks every few seconds at what they tell of theirs. */
export class ClusterWatch {
  readonly #options: ClusterWatchOptions;
  #jobs: SharedTally | undefined;
  #folder: WatchedFolder | null = null;
  #timer: NodeJS.Timeout | undefined;
  #leave: (() => void) | undefined;
  #view: ClusterView | null = null;
  /** What the log says of settings that differ. */
  #warned = '';

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  /** As it was at the last look; null before the first one. */
  get view(): ClusterView | null {
    return this.#view;
  }

  /** @param folder null: the node stores into none */
  begin(jobs: SharedTally, folder: WatchedFolder | null): void {
    this.end();
    this.#folder = folder;
    const { queue, node, lookMs = LOOK_MS } = this.#options;
    this.#jobs = jobs;
    this.#leave = queue.reportNode(node, () => this.#report());
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#leave?.();
    this.#leave = undefined;
    this.#jobs = undefined;
    this.#view = null;
  }

  #report(): NodeReport {
    const { running = 0, held = 0 } = this.#jobs?.tally() ?? {};
    return { settings: this.#options.settings, running, waiting: held, probe: this.#folder?.probe ?? '' };
  }

  #look(): void {
    if (this.#jobs === undefined) return;
    const { queue, node, onLook } = this.#options;
    const { running: here, pooled } = this.#jobs.tally();
    const { isAway } = queue.connection;
    const { instances, running, waiting } = queue.cluster.counts(node);
    const differences = queue.cluster.differences(node);
    this.#view = {
      ...{ isAway, here, running, instances },
      // What the others said of themselves is some seconds old.
      waiting: Math.max(0, pooled - running) + waiting,
      differing: [...new Set(differences.flatMap(({ hosts }) => hosts))].sort(),
      folder: this.#folder?.finding ?? null
    };
    if (differences.length > 0) this.#warn(differenceText(differences));
    // One that is merely away would be a reason to warn again when it is back.
    else if (instances > 1) this.#warned = '';
    onLook();
  }

  #warn(text: string): void {
    const isNew = this.#warned === '';
    this.#warned = text;
    if (isNew) this.#options.onDifferences(text);
  }
}

/** A key is no part of an exported flow. */
const OTHER_KEY =
  'Instances with different keys do not believe what the others have stored, and cannot do their jobs: enter the same key in ' +
  '"Encryption" of the queue on each of them.';

function differenceText(differences: readonly Difference[]): string {
  const all = differences.map(({ setting, hosts }) => `"${setting}" (${hosts.join(', ')})`);
  const text =
    `This node has other settings in other instances that share its work: ${all.join('; ')}. Each recording is stored with the settings ` +
    'of the instance that works on it. Deploy the same flow everywhere.';
  const hasOtherKey = differences.some(({ setting }) => setting === KEY_LABEL);
  return hasOtherKey ? `${text} ${OTHER_KEY}` : text;
}
