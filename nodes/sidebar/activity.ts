import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import type { Totals } from '../../src/activity/activity';
import { DayCounts } from '../../src/activity/day-counts';
import type { FileState } from '../../src/archive/archive-progress';
import type { FailedRecording } from '../../src/archive/queue/failed-recordings';
import type { Job } from '../../src/archive/queue/job';
import { RecentDeliveries } from '../../src/webhook/endpoint/webhook-endpoint';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { ownedState, stateDatabase, stateDirectory } from '../lib/state';

/** The last run of a list node. */
export interface LastRun {
  node: RedNode;
  /** When it began, and when it ended. Milliseconds since 1970; null while it runs. */
  begun: number;
  ended: number | null;
  /** Null while it runs, and when it failed. */
  summary: { listed: number; emitted: number; complete: boolean } | null;
  /** Why it failed; else null. */
  code: string | null;
}

/** A running download node. */
export interface RunningDownload {
  /** What it is doing. @param most of each list */
  now(most: number): DownloadsNow;
  /**
   * Tries again what was given up, as if a list node had found it. Resolves when the job is on disk.
   *
   * @throws CodedError when the job could not be persisted, or nothing is known by which the recording could be asked for
   */
  retry(failed: FailedRecording): Promise<void>;
}

export interface DownloadsNow {
  node: RedNode;
  /** The files on their way. */
  files: readonly Readonly<FileState>[];
  /** The jobs that wait for their time, the first one at the beginning. */
  pausing: readonly { job: Job; dueInMs: number }[];
  /** All files and jobs that are not being transferred. */
  waiting: number;
}

/** What the nodes of one Node-RED do, as the sidebar shows it. It outlives deploys. */
export interface Activity {
  readonly deliveries: RecentDeliveries;
  /** Since the process began. */
  readonly downloads: Pick<Totals, 'stored' | 'bytes' | 'failed'>;
  readonly counts: DayCounts;
  /** By the id of the list node. */
  readonly lists: Map<string, LastRun>;
  /** The running download nodes, by their ids. */
  readonly running: Map<string, RunningDownload>;
}

/** Milliseconds between two times that counts are entered and saved. */
const SAMPLE_MS = 60 * 1000;

/** By Node-RED, because one process may run several. */
const activities = new WeakMap<EventEmitter, Activity>();

export function activityOf(RED: NodeRedApi): Activity {
  const known = activities.get(RED.events);
  if (known !== undefined) return known;
  const activity: Activity = {
    deliveries: new RecentDeliveries(),
    downloads: { stored: 0, bytes: 0, failed: 0 },
    counts: new DayCounts(),
    lists: new Map(),
    running: new Map()
  };
  activities.set(RED.events, activity);
  setInterval(() => saveCounts(RED, activity), SAMPLE_MS).unref();
  RED.events.on('flows:stopping', () => saveCounts(RED, activity));
  return activity;
}

/** Counts what happened until now; reads once what earlier processes counted. Returns at once. */
export function saveCounts(RED: NodeRedApi, { deliveries, downloads, counts }: Activity): void {
  counts.sample({ ...deliveries.totals, ...downloads });
  try {
    if (!existsSync(stateDirectory(RED)) || ownedState(RED).problem !== null) return;
    const database = stateDatabase(RED);
    const saved = database.collection<Totals>('activity-counts');
    counts.load(saved);
    const changes = counts.changes(saved);
    if (changes.length > 0) database.commitSoon(changes).catch(() => undefined);
  } catch {
    // Counts are worth no error of their own; the nodes report faults of the state.
  }
}
