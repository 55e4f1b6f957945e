import { ArchiveProgress } from '../../src/archive/archive-progress';
import type { FailedRecording } from '../../src/archive/queue/failed-recordings';
import { type Job, type JobItem, keptMessage } from '../../src/archive/queue/job';
import type { TroubleChange } from '../../src/archive/queue/job-processor';
import type { Retrying } from '../../src/archive/queue/jobs';
import type { FileOutcome } from '../../src/archive/queue/run-result';
import { monotonicNow } from '../../src/clock/clocks';
import { CodedError } from '../../src/errors/coded-error';
import type { Deletions } from '../../src/evidence/deletion/deletions';
import { STORED_RECORD_TYPE } from '../../src/recording/find-recordings';
import { isRequest, readRequested } from '../../src/retention/requested-retention';
import type { StoredFile } from '../../src/store/stored-recording';
import { type DownloadsNow, type RunningDownload, activityOf } from '../sidebar/activity';
import type { SharedQueue } from '../config/queue/shared-queue';
import { archiveState } from '../lib/archive-state';
import { custodyOf } from '../lib/custody';
import { deletionsOf, finishDeletions } from '../lib/deletions';
import { answerFailure, answerResponse } from '../lib/http-response';
import { inLanguage, told } from '../lib/in-language';
import type { FlowMessage, NodeRedApi, RedNode, Send } from '../lib/node-red';
import type { NodeStatus, Say } from '../lib/node-status';
import { asError } from '../lib/on-input';
import {
  PendingMessages,
  deletedFiles,
  deletedLine,
  failureOf,
  itemsOf,
  storedFiles,
  storedLine,
  storedMessages
} from './download-messages';
import type { DownloadSettings } from './download-settings';
import { showDownloads } from './download-status';
import { type DownloadEvents, type DownloadWork, createDownloadWork } from './download-work';
import type { SourceSettings } from './recording-sources';
import { ClusterWatch } from './cluster-watch';
import { RetryWarnings } from './retry-warnings';

const TICK_MS = 1000;
/** Going through the jobs takes a moment, and bytes arrive more often than that. */
const LOOK_MS = 500;
const NOTHING: Retrying = { count: 0, next: null };

export interface DownloadNodeOptions {
  settings: DownloadSettings;
  sources: SourceSettings;
  /** Null: this Node-RED works alone. */
  queue: SharedQueue | null;
  /** What the other instances are told of the settings; see `toldSettings` and `SharedQueue`. */
  told: Readonly<Record<string, string>>;
  status: NodeStatus;
  say: Say;
}

/** What a download node does with its messages. */
export class DownloadNode implements DownloadEvents, RunningDownload {
  readonly #RED: NodeRedApi;
  readonly #node: RedNode;
  readonly #settings: DownloadSettings;
  readonly #sources: SourceSettings;
  readonly #queue: SharedQueue | null;
  readonly #status: NodeStatus;
  readonly #say: Say;
  readonly #cluster: ClusterWatch | null;
  readonly #live = new PendingMessages();
  readonly #progress = new ArchiveProgress(() => this.#show());
  readonly #warnings = new RetryWarnings((text, code) => this.#warn(text, code));
  #failure: CodedError | null = null;
  /** Why the node could not start. */
  #hindrance: CodedError | null = null;
  #retrying = NOTHING;
  #isClosed = false;
  #lookedAt = -Infinity;
  /** Runs while a retry is pending, to count down its seconds. */
  #ticking: NodeJS.Timeout | undefined;
  #work: DownloadWork | undefined;

  constructor(
    RED: NodeRedApi,
    node: RedNode,
    { settings, sources, queue, told: own, status, say }: DownloadNodeOptions
  ) {
    this.#RED = RED;
    this.#node = node;
    this.#settings = settings;
    this.#sources = sources;
    this.#queue = queue;
    this.#status = status;
    this.#say = say;
    this.#cluster =
      queue &&
      new ClusterWatch({
        ...{ queue, node: node.id, settings: own },
        onLook: () => this.#show(),
        onDifferences: (text) => this.#warn(text, 'SETTINGS_DIFFER')
      });
  }

  /**
   * Resumes the jobs that were left.
   *
   * @throws CodedError `STORE_FAILED` while the state cannot be written, which every message tries again;
   *   `STATE_IN_USE` while another process owns it
   */
  async start(): Promise<void> {
    try {
      await this.#opened();
      if (this.#failure === this.#hindrance || this.#failure?.code === 'STATE_IN_USE') this.#failure = null;
      this.#hindrance = null;
      this.#show();
    } catch (error) {
      if (error instanceof CodedError) this.#fail((this.#hindrance = error));
      throw error;
    }
  }

  /**
   * Stores what a message asks for. Resolves when everything is stored.
   *
   * @throws CodedError when something was given up, or the job could not be persisted
   */
  readonly store = async (message: FlowMessage, send: Send): Promise<void> => {
    let items: JobItem[];
    try {
      // Before the job is accepted: later, its sender could no longer mend it.
      const { retention } = message;
      if (retention !== undefined && (this.#settings.keeping.hasPolicy || isRequest(retention)))
        readRequested(retention);
      items = itemsOf(message, this.#settings.format);
    } catch (error) {
      if (this.#settings.answer !== 'never') answerFailure(message, error);
      throw error;
    }
    await new Promise<void>((resolve, reject) => {
      const end = (error: Error | null): void => (error === null ? resolve() : reject(error));
      let jobId = '';
      const accept = async (): Promise<void> => {
        const { jobs } = await this.#opened();
        await jobs.add(keptMessage(message), items, (id) => {
          jobId = id;
          this.#live.add(id, { message, send, end });
        });
        if (this.#settings.answer === 'queued') answerResponse(message, 200);
      };
      accept().catch((error: unknown) => {
        this.#live.take(jobId);
        if (error instanceof CodedError) this.#fail(error);
        if (this.#settings.answer !== 'never') answerResponse(message, 503);
        end(asError(error));
      });
    });
  };

  async retry({ identity, details }: FailedRecording): Promise<void> {
    const { recording_id, provider, event_type: topic } = details;
    const message: FlowMessage = {
      ...(topic !== null && { topic }),
      ...{ recording_id, provider },
      payload: { ...details, identity, record_type: STORED_RECORD_TYPE }
    };
    const { jobs } = await this.#opened();
    await jobs.add(keptMessage(message), itemsOf(message, this.#settings.format), () => undefined);
  }

  now(most: number): DownloadsNow {
    return {
      node: this.#node,
      files: this.#progress.files(most),
      pausing: this.#work?.jobs.pausing(most) ?? [],
      waiting: this.#progress.summary().waiting
    };
  }

  /** Stops because another process now owns the state and continues the jobs. The node can be started again. */
  async stop(problem: CodedError): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    this.#leave();
    this.#live.clear();
    this.#fail(problem);
    await work?.close(false);
  }

  /** @param removed whether the node is deleted or disabled, not just deployed again */
  async close(removed: boolean): Promise<void> {
    this.#live.clear();
    this.#leave();
    clearInterval(this.#ticking);
    this.#isClosed = true;
    await this.#work?.close(removed);
  }

  readonly deliver = (job: Job, outcomes: FileOutcome[]): void => {
    const node = this.#node;
    const settings = this.#settings;
    // A shared job may run on another instance, which has only the job's copy of the message; `onFinished` tells the sender.
    const live = this.#queue === null ? this.#live.take(job.id) : undefined;
    const message: FlowMessage = live?.message ?? { ...job.message };
    const send: Send = live?.send ?? ((messages) => node.send(messages));
    const files = storedFiles(outcomes);
    const deleted = deletedFiles(outcomes);
    const error = failureOf(outcomes);
    this.#failure = error;
    this.#show();
    const isSample = job.items.length > 0 && job.items.every(({ reference }) => reference.sample === true);
    this.#count(files, isSample ? 0 : outcomes.length - files.length - deleted.length);
    for (const { recording } of files) node.log(storedLine(recording));
    for (const { recording } of deleted) node.log(deletedLine(recording));
    const all = [...files, ...deleted];
    if (all.length > 0) send([storedMessages(this.#RED, message, all)]);
    if (error === null && settings.answer === 'stored') answerResponse(message, 200);
    if (live !== undefined) live.end(error);
    else if (error !== null) node.error(error, message);
  };

  readonly onFinished = ({ id, isGivenUp }: { id: string; isGivenUp: boolean }): void => {
    const live = this.#live.take(id);
    // The error was raised where the job ran; raised here as well, it would be reported twice.
    if (live === undefined || isGivenUp) return;
    if (this.#settings.answer === 'stored') answerResponse(live.message, 200);
    live.end(null);
  };

  readonly onNotDeleted: DownloadEvents['onNotDeleted'] = (job, reason, error) => {
    const text = `The recording is stored, but it was not deleted at the source: ${reason}`;
    if (error === null) this.#warn(text, 'NOT_DELETED');
    else this.#node.error(new CodedError(error.code, text, { cause: error }), { ...job.message });
  };

  readonly onDetailsMissing = (message: string): void => this.#node.log(message);

  readonly onTrouble = (change: TroubleChange): void => {
    this.#warnings.add(change);
    // The change will be on disk in a moment.
    this.#tick();
  };

  readonly onFault = (error: CodedError): void => {
    this.#fail(error);
    this.#warn(error.message, error.code);
  };

  readonly onApart = (error: CodedError): void => this.#node.error(error, {});

  readonly onShared = (): void =>
    this.#node.log('All machines that share the work see one folder: downloads go on.');

  readonly onNotice: DownloadEvents['onNotice'] = (said, level) => {
    const text = told(this.#RED, said);
    if (level === 'warning') this.#node.warn(text);
    else this.#node.log(text);
  };

  #warn(text: string, code: string): void {
    this.#node.warn(inLanguage(this.#RED, 'error.' + code, text));
  }

  async #opened(): Promise<DownloadWork> {
    if (this.#work !== undefined) return this.#work;
    const state = archiveState(this.#RED);
    const options = {
      node: this.#node.id,
      settings: this.#settings,
      sources: this.#sources,
      queue: this.#queue
    };
    const custody = custodyOf(this.#RED);
    const deletions = (): Promise<Deletions> => deletionsOf(this.#RED);
    const deps = { state, progress: this.#progress, events: this, custody, deletions };
    const work = createDownloadWork(options, deps);
    this.#work = work;
    await work.start();
    // A deploy, or another process, may have stopped it meanwhile.
    if (this.#isClosed || this.#work !== work) return work;
    activityOf(this.#RED).running.set(this.#node.id, this);
    void finishDeletions(this.#RED);
    if (work.shared !== null) this.#cluster?.begin(work.shared, work.folder);
    this.#tick();
    return work;
  }

  #leave(): void {
    this.#cluster?.end();
    const { running } = activityOf(this.#RED);
    if (running.get(this.#node.id) === this) running.delete(this.#node.id);
  }

  /** For the totals of today, which samples are no part of. */
  #count(files: StoredFile[], failed: number): void {
    const { downloads } = activityOf(this.#RED);
    downloads.failed += failed;
    for (const { recording } of files) {
      if (recording.already_stored || recording.sample === true) continue;
      downloads.stored += 1;
      downloads.bytes += recording.size;
    }
  }

  #fail(error: CodedError): void {
    this.#failure = error;
    this.#show();
  }

  #show(): void {
    if (monotonicNow() - this.#lookedAt >= LOOK_MS) {
      this.#retrying = this.#work?.jobs.retrying() ?? NOTHING;
      this.#lookedAt = monotonicNow();
    }
    const status = this.#status;
    const say = this.#say;
    showDownloads(status, say, {
      progress: this.#progress.summary(),
      retrying: this.#retrying,
      failure: this.#failure,
      cluster: this.#cluster?.view ?? null
    });
  }

  #tick(): void {
    if (this.#ticking !== undefined || this.#isClosed) return;
    this.#ticking = setInterval(() => {
      this.#show();
      if (this.#retrying.count > 0) return;
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }, TICK_MS);
    this.#ticking.unref();
  }
}
