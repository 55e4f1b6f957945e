import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveProgress } from '../../src/archive/archive-progress';
import { Archiver } from '../../src/archive/archiver';
import { custodyEntries } from '../../src/archive/custody-entries';
import type { Effects } from '../../src/archive/effects';
import { LateDetails } from '../../src/archive/download/late-details';
import { clearPartialCopies, NodeResumeStates } from '../../src/archive/download/partial-copies';
import { HeldAtSource } from '../../src/archive/download/held-at-source';
import { SourceDeletion } from '../../src/archive/download/source-deletion';
import type { Job } from '../../src/archive/queue/job';
import { JobProcessor, type TroubleChange } from '../../src/archive/queue/job-processor';
import { type JobOutcome, JobQueue, type JobQueueOptions } from '../../src/archive/queue/job-queue';
import type { Jobs } from '../../src/archive/queue/jobs';
import type { FileOutcome } from '../../src/archive/queue/run-result';
import { SideFileSearch } from '../../src/archive/side-files/side-file-search';
import { TranscriptFiling } from '../../src/archive/transcripts/transcript-filing';
import { KeyedMutex } from '../../src/concurrency/keyed-runs';
import { CodedError } from '../../src/errors/coded-error';
import type { Deletions } from '../../src/evidence/deletion/deletions';
import { holdsUnknown } from '../../src/evidence/deletion/holds';
import type { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import type { BucketStoreOptions } from '../../src/store/bucket/bucket-store';
import { FolderProbe } from '../../src/sharing/folder-probe';
import { FolderWatch } from '../../src/sharing/folder-watch';
import type { SharedJobs } from '../../src/sharing/jobs/shared-jobs';
import type { ProbeFile } from '../../src/store/folder/probe-file';
import { createTransferAgents } from '../../src/transfer/source-request';
import { transfer } from '../../src/transfer/transfer';
import type { SharedQueue } from '../config/queue/shared-queue';
import type { ArchiveState } from '../lib/archive-state';
import { openDestination } from './download-destination';
import type { DownloadSettings } from './download-settings';
import { factsOfQueue } from '../config/queue/queue-facts';
import { jobsOfQueue } from './queue-jobs';
import { recordingSources, type SourceSettings } from './recording-sources';

/** Milliseconds for which a node that is closed waits for what it still does to its folder; Node-RED waits for 15 s. */
const LAST_WRITES_MS = 1000;

/** What the work reports to the node. None of these may throw. */
export interface DownloadEvents {
  deliver: (job: Job, outcomes: FileOutcome[]) => void;
  onNotDeleted: (job: Pick<Job, 'message'>, message: string, error: CodedError | null) => void;
  onDetailsMissing: (message: string) => void;
  onTrouble: (change: TroubleChange) => void;
  /** A message of this process has been handled by another instance, or its job by this one as by any other. */
  onFinished: (ended: { id: string; isGivenUp: boolean }) => void;
  onFault: (error: CodedError) => void;
  /** Other instances store into another folder, so the jobs wait. */
  onApart: (error: CodedError) => void;
  /** They no longer do. */
  onShared: () => void;
  onNotice: NonNullable<BucketStoreOptions['onNotice']>;
}

export interface DownloadWork {
  readonly jobs: Jobs;
  /** The same when they are shared. */
  readonly shared: SharedJobs | null;
  /** Where shared jobs store into a folder. */
  readonly folder: FolderWatch | null;
  /** Resumes the jobs that an earlier process left. */
  start(): Promise<void>;
  /** @param removed whether the node is deleted or disabled, not just deployed again */
  close(removed: boolean): Promise<void>;
}

export interface DownloadWorkOptions {
  /** Id of the download node. */
  node: string;
  settings: DownloadSettings;
  sources: SourceSettings;
  /** Null: this Node-RED works alone. */
  queue: SharedQueue | null;
}

export interface DownloadWorkDeps {
  state: ArchiveState;
  progress: ArchiveProgress;
  events: DownloadEvents;
  custody: CustodyRecorder;
  /** As `deletionsOf`. */
  deletions: () => Promise<Deletions>;
}

/**
 * Assembles the parts of the archive for one download node.
 *
 * @throws CodedError `BAD_SETTING` when the API address of an account cannot be used
 */
export function createDownloadWork(
  { node, settings, sources: sourceSettings, queue }: DownloadWorkOptions,
  { state, progress, events, custody, deletions }: DownloadWorkDeps
): DownloadWork {
  const { archive } = settings;
  const { owner } = state;
  const destination = openDestination(settings.target, state, events.onNotice);
  const { place, capabilities, sidecars: sidecar, transcripts: texts } = destination;
  const sources = recordingSources(sourceSettings, (date, name) =>
    custody.noteDate(date, { name, mayConfirm: true })
  );
  const agents = createTransferAgents({
    proxy: settings.proxy,
    own: sources.ownBucket,
    onDate: (date, name) => custody.noteDate(date, { name: `file ${name}`, mayConfirm: false })
  });
  const partials = new NodeResumeStates(state.database, node, place);
  const facts =
    queue === null
      ? state.facts
      : factsOfQueue(queue, state, () => events.onNotice([{ notice: 'redis-forgot-files' }], 'warning'));
  const index = facts.at(place);
  const turns = new KeyedMutex();
  const holds: Pick<Deletions, 'permitted'> = {
    permitted: async (asked, act) => {
      const opened = await deletions().catch((cause: unknown) => {
        throw holdsUnknown(cause);
      });
      return await opened.permitted(asked, act);
    }
  };
  const archiver = new Archiver(
    archive,
    {
      holds,
      store: destination,
      partials,
      transfer: (request) => transfer(request, { agents }),
      transcripts: new TranscriptFiling({ sidecar, texts, turns, fetchTranscript: sources.fetchTranscript }),
      authorize: sources.authorize,
      resolveLinks: sources.resolveLinks,
      expand: sources.expand,
      completeDetails: sources.completeDetails,
      keeping: settings.keeping,
      now: Date.now,
      random: Math.random
    },
    progress,
    index
  );
  /** In the custody log before it is in the index: after a crash in between, the job tells it once more. */
  const told = async (effects: Effects): Promise<void> => {
    // An index that cannot be asked does not take the effects either; they come again.
    const entries = await custodyEntries(effects, facts, node).catch(() => []);
    await custody.recorded(entries);
  };
  const toldOf = async (outcome: JobOutcome): Promise<JobOutcome> => {
    const telling = told(outcome.effects);
    // The flow has its message already, and may ask what is stored.
    state.facts.awaiting(telling);
    await telling;
    return outcome;
  };
  const commit = async (effects: Effects): Promise<void> => {
    await told(effects);
    await facts.commit(effects);
  };
  const held = new HeldAtSource({
    ...{ database: state.database, node, index, deletions, commit },
    onNotDeleted: (message, error) => events.onNotDeleted({ message: {} }, message, error)
  });
  const deletion =
    settings.deleteAtSource && capabilities.canReadBack
      ? new SourceDeletion({
          store: destination,
          deleteRecording: sources.deleteRecording,
          deleted: state.deleted,
          holds,
          keepForRelease: (recording) => held.keep(recording),
          actor: `node:${node}`,
          now: Date.now
        })
      : null;
  const work = new JobProcessor({
    node,
    retries: archive.retries,
    archiver,
    index,
    deletion,
    sideFiles: new SideFileSearch({
      archiver,
      index,
      sideFilesUntil: sources.sideFilesUntil,
      findSideFiles: sources.findSideFiles,
      now: Date.now,
      random: Math.random,
      onMissing: events.onDetailsMissing
    }),
    lateDetails: new LateDetails({ index, sidecar, turns, completeDetails: sources.completeDetails }),
    commit,
    now: Date.now,
    random: Math.random,
    deliver: events.deliver,
    onTrouble: events.onTrouble,
    onNotDeleted: events.onNotDeleted,
    onDetailsMissing: events.onDetailsMissing
  });
  const runs: Runs = {
    work: async (job, run) => await toldOf(await work.work(job, run)),
    giveUp: async (job, { alone }) => await toldOf(await work.giveUp(job, alone)),
    guard: state.guard,
    onWaiting: (count) => progress.queued(count),
    onFault: events.onFault
  };
  const concurrency = jobsAtOnce(archive.concurrency, capabilities.canPublishAside);
  const localJobs = (): Jobs => {
    const followUps = new JobQueue(state.jobs, {
      ...runs,
      list: { followUpsOf: node },
      concurrency: FOLLOW_UPS_AT_ONCE,
      facts: state.facts,
      onWaiting: () => undefined
    });
    return new JobQueue(state.jobs, { ...runs, list: node, concurrency, facts: state.facts, followUps });
  };
  const sharedJobs = (queue: SharedQueue): SharedJobs =>
    jobsOfQueue(
      queue,
      { node, place, concurrency, followUpsAtOnce: FOLLOW_UPS_AT_ONCE },
      {
        ...runs,
        database: state.database,
        repository: state.jobs,
        facts: state.facts,
        commit: (effects) => facts.commit(effects),
        onFinished: events.onFinished
      }
    );
  const shared = queue === null ? null : sharedJobs(queue);
  const jobs = shared ?? localJobs();
  const watched = (queue: SharedQueue, jobs: SharedJobs, file: ProbeFile): FolderWatch =>
    new FolderWatch({
      ...{ node, jobs, probe: new FolderProbe(file), cluster: queue.cluster, connection: queue.connection },
      ...{ onApart: events.onApart, onShared: events.onShared, onFault: events.onFault }
    });
  const folder =
    queue !== null && shared !== null && destination.kind === 'folder'
      ? watched(queue, shared, destination.probe)
      : null;

  const closing = new AbortController();
  const heldAgain = setInterval(() => runHeld(), HELD_RETRY_MS).unref();
  let unlisten: (() => void) | undefined;
  let leave: (() => Promise<void>) | undefined;
  let isClosed = false;
  let beginning: Promise<void> = Promise.resolve();
  let checking: Promise<void> = Promise.resolve();

  function runHeld(): void {
    if (deletion !== null) void held.run(deletion, closing.signal);
  }

  /** What was released while the node, or Node-RED, did not run is found as well. */
  async function followReleases(): Promise<void> {
    const opened = await deletions().catch(() => null);
    if (isClosed) return;
    unlisten = opened?.onFree(runHeld);
    runHeld();
  }

  /** Checks the folder or bucket. If it fails, jobs wait until it is fixed. */
  async function check(): Promise<void> {
    try {
      await destination.check();
    } catch (error) {
      if (error instanceof CodedError && !isClosed) events.onFault(error);
    }
  }

  async function begin(): Promise<void> {
    leave = custody.join();
    state.nodes.set(node, jobs);
    if (destination.kind === 'bucket') state.buckets.set(node, destination);
    // Ends soon, now that the node is there.
    await state.turns.run(node, () => state.jobs.nodeHere(node)).catch(() => undefined);
    await clearPartialCopies({ node, destination, owner, notes: partials, all: false });
    // A deploy may have stopped the node meanwhile.
    if (isClosed) return;
    // Before a job begins.
    folder?.begin();
    jobs.start();
    if (deletion !== null) void followReleases();
    // A network share that does not answer holds up only this check.
    checking = check();
  }

  return {
    jobs,
    shared,
    folder,
    start: () => {
      beginning = begin();
      return beginning;
    },
    close: async (removed) => {
      isClosed = true;
      closing.abort(new CodedError('GAVE_UP', 'The node was stopped.'));
      clearInterval(heldAgain);
      unlisten?.();
      state.nodes.delete(node);
      state.buckets.delete(node);
      const unwatched = folder?.end();
      // A request to the bucket may take longer than a deploy can wait.
      await Promise.all([jobs.close(), work.close(), destination.close()]);
      await Promise.all([agents.close(), sources.close()]);
      // Nothing writes to the folder any longer, unless a network share does not answer.
      await Promise.race([
        Promise.allSettled([beginning, checking, unwatched]),
        sleep(LAST_WRITES_MS, null, { ref: false })
      ]);
      await leave?.();
      if (!removed) return;
      // The jobs wait for the node to come back; partial copies need not.
      await state.jobs.nodeGone(node).catch(() => undefined);
      await clearPartialCopies({ node, destination, owner, notes: partials, all: true });
    }
  };
}

/** What jobs need of a node, wherever they are kept. */
type Runs = Pick<JobQueueOptions, 'work' | 'onFault'> &
  Required<Pick<JobQueueOptions, 'giveUp' | 'guard' | 'onWaiting'>>;

/** Between two looks after what was released and could not be deleted at the source then. */
const HELD_RETRY_MS = 60 * 60 * 1000;

/** Files come first; follow-ups of stored files have a small limit of their own. */
const FOLLOW_UPS_AT_ONCE = 4;

/**
 * For each transfer, this many more files may be on their way to disk: making a small file durable takes about
 * three times as long as its transfer, and the disk syncs several together.
 */
const DURABLE_PER_TRANSFER = 3;

/**
 * The number of concurrent jobs. A disk makes files durable while others are transferred; the archiver limits
 * the transfers. With a concurrency of 1, jobs run one after another.
 */
function jobsAtOnce(concurrency: number, canPublishAside: boolean): number {
  return canPublishAside && concurrency > 1 ? (1 + DURABLE_PER_TRANSFER) * concurrency : concurrency;
}
