import { backoffMs } from '../../clock/backoff';
import { CodedError } from '../../errors/coded-error';
import { rootCause } from '../../errors/root-cause';
import type { Trouble } from '../../errors/trouble';
import { type RecordingReference, deletionKey } from '../../recording/recording-reference';
import type { Archiver } from '../archiver';
import { type Effects, NO_EFFECTS, entering, together } from '../effects';
import { repeatedCrash } from '../download/archive-faults';
import { type LateDetails, MOST_DETAILS_ATTEMPTS, detailsPauseMs, withAdded } from '../download/late-details';
import type { DeletionResult, SourceDeletion, StoredWhole } from '../download/source-deletion';
import type { IndexedFile, StoredIndex } from '../index/stored-index';
import type { SearchStep, SideFileSearch } from '../side-files/side-file-search';
import type { AwaitedRecording, Job, JobRun, RetryNote } from './job';
import type { FailedRecording } from './failed-recordings';
import type { JobOutcome } from './job-queue';
import type { Again, FileOutcome } from './run-result';
import { newlyKnown, notNoted, withDeletion, withLateDetails, wholeRecordings } from './stored-outcomes';

export interface JobProcessorDeps {
  /** Id of the download node. */
  node: string;
  /** Attempts after the first to delete at the source. */
  retries: number;
  archiver: Archiver;
  index: StoredIndex;
  /** Null: recordings stay at the source. */
  deletion: SourceDeletion | null;
  /** Completes what is known of stored recordings. */
  lateDetails: LateDetails;
  /** Finds the files that come later than their recording. If absent, none are looked for. */
  sideFiles?: SideFileSearch;
  /** As `ArchiveFacts.commit`. */
  commit: (effects: Effects) => Promise<void>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From 0 to 1. */
  random: () => number;
  /** Sends the outcome to the flow: stored and failed files. Must not throw. */
  deliver: (job: Job, outcomes: FileOutcome[]) => void;
  /** The trouble of a job has changed or recurred. Must not throw. */
  onTrouble?: (change: TroubleChange) => void;
  /**
   * A stored recording was not deleted at the source, and will not be. Must not throw.
   *
   * @param error null when the source does not delete such recordings at all
   */
  onNotDeleted: (job: Job, message: string, error: CodedError | null) => void;
  /** A stored recording stays without what the API knows of it. Must not throw. @param message for the log */
  onDetailsMissing: (message: string) => void;
}

/** What keeps a job waiting. */
export interface TroubleChange {
  /** After its last attempt but one, perhaps in an earlier process. */
  before: Trouble | null;
  /** After its last attempt. */
  now: { retry: RetryNote; pauseMs: number; error: CodedError } | null;
}

/**
 * Runs jobs: tries to store their files, deletes stored recordings at the source, notifies the flow, and
 * returns what to persist.
 */
export class JobProcessor {
  readonly #parts: JobProcessorDeps;
  readonly #closing = new AbortController();

  constructor(parts: JobProcessorDeps) {
    this.#parts = parts;
  }

  /** @param job updated in place. @returns never rejects */
  async work(job: Job, run: JobRun): Promise<JobOutcome> {
    const isFollowUp = [job.deletion, job.details, job.sideFiles].some((note) => note !== undefined);
    if (isFollowUp) return await this.#followUp(job, run);
    const { archiver, index, deliver } = this.#parts;
    const result = await archiver.run(job, run);
    const effects = entering(index, result.entries);
    if (result.kind === 'stopped') return { kind: 'stopped', effects };
    if (result.kind === 'again') {
      const { error, pauseMs, retry, retries } = result;
      this.#met(job, { error, pauseMs, attempt: retry, of: retries });
      return { kind: 'again', pauseMs, effects };
    }
    const { outcomes } = result;
    const late = withLateDetails(job, outcomes);
    const awaited = await this.#awaited(outcomes, late);
    // An API that did not return the details in time must not delay the deletion, either.
    const isLater = late.length > 0 || awaited.length > 0;
    const undeleted = isLater ? [] : await this.#deleteFirst(outcomes, effects);
    // The flow may change what it is given.
    const deletable = isLater ? structuredClone(this.#deletable(outcomes)) : [];
    // After the deletion, so that the index knows of it; before the flow can change what it is given.
    const noted = await this.#noted(outcomes);
    const mayReport = (await run.mayReport?.()) ?? true;
    if (this.#closing.signal.aborted || !mayReport) return { kind: 'stopped', effects };
    this.#through(job);
    deliver(job, outcomes);
    if (!isLater) return this.#afterDeletion(job, undeleted, noted);
    if (deletable.length > 0) job.deletion = { recordings: deletable, failures: 0 };
    if (awaited.length > 0) this.#parts.sideFiles?.begin(job, awaited);
    if (late.length === 0) return this.#again(job, 0, noted);
    job.details = { recordings: late, failures: 1 };
    return this.#again(job, detailsPauseMs(1, this.#parts.random()), noted);
  }

  /** What is about to be deleted need not wait when its side files would be there by now, and there are none. */
  async #awaited(outcomes: FileOutcome[], late: readonly unknown[]): Promise<AwaitedRecording[]> {
    const { sideFiles } = this.#parts;
    const awaited = sideFiles?.awaited(outcomes) ?? [];
    if (sideFiles === undefined || late.length > 0 || this.#deletable(outcomes).length === 0) return awaited;
    return await sideFiles.without(awaited, this.#closing.signal);
  }

  /**
   * Gives up a job that keeps crashing the process, and notifies the flow.
   *
   * @param deaths number of crashes
   */
  async giveUp(job: Job, deaths: number): Promise<JobOutcome> {
    const { deliver, onNotDeleted } = this.#parts;
    this.#through(job);
    for (const reference of job.details?.recordings ?? [])
      this.#withoutDetails(reference, `Node-RED ended ${deaths} times while they were added.`);
    if (job.deletion !== undefined) {
      const error = repeatedCrash(
        job.deletion.recordings.map(({ reference }) => reference),
        deaths
      );
      onNotDeleted(job, error.message, error);
    }
    const isFollowUp = [job.deletion, job.details, job.sideFiles].some((note) => note !== undefined);
    // A follow-up has items while it stores side files.
    if (isFollowUp && (job.sideFiles === undefined || job.items.length === 0))
      return { kind: 'done', effects: NO_EFFECTS };
    const references = job.items.map(({ reference }) => reference);
    const error = repeatedCrash(references, deaths);
    const outcomes = references.map((reference): FileOutcome => ({
      kind: 'failed',
      reference,
      wantedFormat: null,
      error,
      attempts: deaths
    }));
    const effects = await this.#noted(outcomes);
    deliver(job, outcomes);
    return { kind: 'done', effects };
  }

  /** An attempt has failed, and another one will be made. */
  #met(
    job: Job,
    { error, pauseMs, attempt, of }: { error: CodedError; pauseMs: number; attempt: number; of: number }
  ): void {
    const before = job.retry?.trouble ?? null;
    const retry = { trouble: error.trouble, attempt, of };
    job.retry = retry;
    this.#parts.onTrouble?.({ before, now: { retry, pauseMs, error } });
  }

  /** The job no longer waits for another attempt. */
  #through(job: Job): void {
    const { retry } = job;
    delete job.retry;
    if (retry !== undefined) this.#parts.onTrouble?.({ before: retry.trouble, now: null });
  }

  /** Stops all work. Jobs under way end `stopped`. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('GAVE_UP', 'The node was stopped.'));
    await this.#parts.archiver.close();
  }

  async #noted(outcomes: readonly FileOutcome[]): Promise<Effects> {
    const { node, index, now } = this.#parts;
    const givenUp: FailedRecording[] = [];
    const cleared: Effects['cleared'][number][] = [];
    const stored: IndexedFile[] = [];
    for (const outcome of outcomes) {
      const { identity, details } = outcome.reference;
      if (outcome.kind === 'failed') {
        const { error, attempts } = outcome;
        const { code, message } = error;
        givenUp.push({ node, identity, at: now(), code, message, attempts, details });
      } else {
        cleared.push({ node, identity });
        if (outcome.kind === 'stored') stored.push(...(await newlyKnown(outcome, index)));
      }
    }
    return { ...entering(index, stored), givenUp, cleared };
  }

  /**
   * First puts on disk that the files are stored: what is deleted at the source cannot be fetched again.
   *
   * @returns recordings that were not deleted, each with the reason
   */
  async #deleteFirst(outcomes: FileOutcome[], stored: Effects): Promise<NotDeleted[]> {
    const recordings = this.#deletable(outcomes);
    if (recordings.length === 0) return [];
    try {
      await this.#parts.commit(stored);
    } catch (cause) {
      const error = notNoted(cause);
      return recordings.map((recording) => ({ recording, result: { kind: 'failed', error } }));
    }
    return await this.#delete(recordings);
  }

  async #delete(recordings: StoredWhole[]): Promise<NotDeleted[]> {
    const { deletion } = this.#parts;
    const failed: NotDeleted[] = [];
    for (const recording of recordings) {
      try {
        const result = await deletion?.delete(recording, this.#closing.signal);
        if (result !== undefined && result.kind !== 'deleted') failed.push({ recording, result });
      } catch {
        // Only when the node closes; its successor starts over.
        failed.push({ recording, result: { kind: 'refused', message: 'Stopped.' } });
      }
    }
    return failed;
  }

  #deletable(outcomes: FileOutcome[]): StoredWhole[] {
    return this.#parts.deletion === null ? [] : wholeRecordings(outcomes);
  }

  /** The follow-up once the flow has its files: details first, because a provider forgets what it deletes. */
  async #followUp(job: Job, run: JobRun): Promise<JobOutcome> {
    const { effects: completed, fault } = await this.#completeDetails(job);
    if (this.#closing.signal.aborted) return { kind: 'stopped', effects: completed };
    const search = await this.#search(job, run);
    const effects = together(completed, search.effects);
    if (search.isStopped) return { kind: 'stopped', effects };
    if (search.pauseMs !== null) {
      const { random } = this.#parts;
      const pauseMs = job.details === undefined ? Infinity : detailsPauseMs(job.details.failures, random());
      return this.#again(job, Math.min(search.pauseMs, pauseMs), effects);
    }
    const outcome = await this.#deleteAgain(job, fault ?? (await this.#kept(job, effects)), effects);
    if (outcome.kind !== 'done' || job.details === undefined) return outcome;
    const { failures } = job.details;
    const pauseMs = detailsPauseMs(failures, this.#parts.random(), fault?.retryAfterMs);
    return this.#again(job, pauseMs, outcome.effects);
  }

  /** Looks for side files, and stores those that are there. */
  async #search(job: Job, run: JobRun): Promise<SearchStep & { isStopped: boolean }> {
    const { sideFiles, deliver } = this.#parts;
    const events = {
      noted: (outcomes: FileOutcome[]) => this.#noted(outcomes),
      ...(run.mayReport !== undefined && { mayEnd: run.mayReport }),
      ended: (outcomes: FileOutcome[]): void => {
        this.#through(job);
        deliver(job, outcomes);
      },
      again: ({ error, pauseMs, retry, retries }: Again) =>
        this.#met(job, { error, pauseMs, attempt: retry, of: retries }),
      keepAtSource: (key: string, reason: string) => this.#keepAtSource(job, key, reason)
    };
    if (sideFiles === undefined) delete job.sideFiles;
    const step = (await sideFiles?.advance(job, run, events, this.#closing.signal)) ?? NO_STEP;
    return { ...step, isStopped: this.#closing.signal.aborted };
  }

  #keepAtSource(job: Job, key: string, reason: string): void {
    const { deletion } = job;
    const isKept = ({ reference }: StoredWhole): boolean => deletionKey(reference) === key;
    if (deletion?.recordings.some(isKept) !== true) return;
    deletion.recordings = deletion.recordings.filter((recording) => !isKept(recording));
    this.#parts.onNotDeleted(job, reason, null);
  }

  /**
   * Puts the details on disk before the provider forgets them. @returns why the recordings must not be
   * deleted yet
   */
  async #kept({ deletion }: Job, details: Effects): Promise<CodedError | null> {
    if (deletion === undefined || details.stored.length === 0) return null;
    try {
      await this.#parts.commit(details);
      return null;
    } catch (cause) {
      return notNoted(cause);
    }
  }

  /** @returns a fault when the API may return more details later */
  async #completeDetails(job: Job): Promise<{ effects: Effects; fault: CodedError | null }> {
    const { lateDetails } = this.#parts;
    const { details } = job;
    let effects = NO_EFFECTS;
    for (let next = details?.recordings[0]; details && next; next = details.recordings[0]) {
      try {
        const complete = await lateDetails.complete(next, this.#closing.signal);
        effects = together(effects, complete.effects);
        for (const { reference, files } of job.deletion?.recordings ?? [])
          if (reference.identity === next.identity)
            for (const file of files) file.recording = withAdded(file.recording, complete.added);
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        details.failures += 1;
        const fault = error instanceof CodedError && error.retryable ? error : null;
        if (fault !== null && details.failures <= MOST_DETAILS_ATTEMPTS) return { effects, fault };
        this.#withoutDetails(next, error instanceof CodedError ? error.message : rootCause(error));
      }
      details.recordings.shift();
    }
    if (!this.#closing.signal.aborted) delete job.details;
    return { effects, fault: null };
  }

  #withoutDetails({ details: { recording_id } }: RecordingReference, reason: string): void {
    const name = recording_id === null ? 'A recording' : `The recording ${recording_id}`;
    this.#parts.onDetailsMissing(`${name} is stored without the details that only the API knows: ${reason}`);
  }

  /** @param hindrance why the recordings must not be deleted yet */
  async #deleteAgain(job: Job, hindrance: CodedError | null, effects: Effects): Promise<JobOutcome> {
    if (job.deletion === undefined) return { kind: 'done', effects };
    const { recordings } = job.deletion;
    if (hindrance !== null && this.#parts.deletion !== null) {
      const result = { kind: 'failed', error: hindrance } as const;
      const failed = recordings.map((recording) => ({ recording, result }));
      return this.#afterDeletion(job, failed, effects);
    }
    const failed = this.#parts.deletion === null ? [] : await this.#delete(recordings);
    if (this.#closing.signal.aborted) return { kind: 'stopped', effects };
    const { index } = this.#parts;
    const noted: IndexedFile[] = [];
    for (const recording of recordings) noted.push(...(await withDeletion(recording, index)));
    return this.#afterDeletion(job, failed, together(effects, entering(index, noted)));
  }

  #afterDeletion(job: Job, failed: NotDeleted[], effects: Effects): JobOutcome {
    const { retries, random, onNotDeleted } = this.#parts;
    const failures = (job.deletion?.failures ?? 0) + 1;
    const recordings: StoredWhole[] = [];
    let pauseMs = 0;
    let last: CodedError | undefined;
    for (const { recording, result } of failed) {
      const error = result.kind === 'failed' ? result.error : null;
      if (error?.retryable === true && failures <= retries) {
        recordings.push(recording);
        last = error;
        pauseMs = Math.max(pauseMs, backoffMs(failures, random(), error.retryAfterMs));
      } else onNotDeleted(job, result.kind === 'failed' ? result.error.message : result.message, error);
    }
    if (last === undefined) {
      this.#through(job);
      delete job.deletion;
      return { kind: 'done', effects };
    }
    this.#met(job, { error: last, pauseMs, attempt: failures, of: retries });
    job.deletion = { recordings, failures };
    return this.#again(job, pauseMs, effects);
  }

  /** Drops what is no longer needed. */
  #again(job: Job, pauseMs: number, effects: Effects): JobOutcome {
    if (job.sideFiles === undefined) {
      job.items = [];
      job.files = {};
    }
    // The messages of side files are copies of it.
    if (job.deletion === undefined && job.sideFiles === undefined) job.message = {};
    return { kind: 'again', pauseMs, effects, isFollowUp: true };
  }
}

const NO_STEP: SearchStep = { effects: NO_EFFECTS, pauseMs: null };

interface NotDeleted {
  recording: StoredWhole;
  result: Exclude<DeletionResult, { kind: 'deleted' }>;
}
