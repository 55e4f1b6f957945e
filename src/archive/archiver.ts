import { Semaphore, fewAtOnce } from '../concurrency/semaphore';
import { CodedError } from '../errors/coded-error';
import { announcesText } from '../recording/find-recordings';
import { type RecordingReference, type WantedFile, chooseFormat } from '../recording/recording-reference';
import { type StoredFile, type StoredRecording, knownCopy, locationOf } from '../store/stored-recording';
import type { ArchiveDeps, ArchiveSettings } from './archive-context';
import type { ArchiveProgress } from './archive-progress';
import { notInFormat, withoutLink } from './download/archive-faults';
import { lacksLock } from './download/keeping';
import { FileDownload, type Turn } from './download/file-download';
import { storeFile } from './download/store-file';
import { likelyFormats, mayBeGone } from './download/stored-by-another';
import {
  type IndexedFile,
  RecentEntries,
  type StoredIndex,
  deletedBefore,
  storedCopies
} from './index/stored-index';
import { type FileNote, type Job, type JobItem, type JobRun, fileKey, noteOf } from './queue/job';
import { type FileResult, type RunResult, judgeFault, runResult } from './queue/run-result';
import { withTexts } from './transcripts/transcript-filing';

/** Concurrent recordings of one job: more than can be transferred and made durable. */
const MOST_AT_ONCE = 256;

/**
 * Archives recordings for one node: several concurrently, but the same one only once at a time, and none that
 * is already stored. It tries each file once per run; its caller waits between runs, and keeps the job on disk.
 */
export class Archiver {
  readonly #settings: ArchiveSettings;
  readonly #deps: ArchiveDeps;
  readonly #progress: ArchiveProgress;
  readonly #index: StoredIndex;
  readonly #slots: Semaphore;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<string, Promise<StoredResult>>();
  readonly #runs = new Set<Promise<unknown>>();
  readonly #known: RecentEntries;

  constructor(settings: ArchiveSettings, deps: ArchiveDeps, progress: ArchiveProgress, index: StoredIndex) {
    this.#settings = settings;
    this.#deps = deps;
    this.#progress = progress;
    this.#index = index;
    this.#slots = new Semaphore(settings.concurrency);
    this.#known = new RecentEntries(index);
  }

  /**
   * Tries to store all files of a job that are not stored yet.
   *
   * @param job updated with what was achieved
   * @returns never rejects
   */
  run(job: Job, run: JobRun): Promise<RunResult> {
    const work = this.#run(job, run);
    this.#runs.add(work);
    return work.finally(() => this.#runs.delete(work));
  }

  /** Stops all work; what was received so far stays for a later attempt. Runs under way end `stopped`. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('GAVE_UP', 'The node was stopped.'));
    await Promise.allSettled(this.#runs);
  }

  async #run(job: Job, run: JobRun): Promise<RunResult> {
    const results = await fewAtOnce(job.items, MOST_AT_ONCE, (item) => this.#item({ job, run }, item));
    return runResult(results.flat(), this.#closing.signal.aborted);
  }

  async #item(task: Task, item: JobItem): Promise<FileResult[]> {
    const { job } = task;
    const results = await this.#files(task, item);
    const { reference } = item;
    const { transcripts } = this.#deps;
    if (transcripts === undefined) return results;
    const judge = (error: unknown, format: string | null): FileResult =>
      this.#fault(
        reference,
        format,
        noteOf(job, { about: 'text', identity: reference.identity, format }),
        error
      );
    const texts = { filing: transcripts, index: this.#index, judge };
    return await withTexts(results, reference, texts, this.#closing.signal);
  }

  async #files(task: Task, item: JobItem): Promise<FileResult[]> {
    const { job } = task;
    const { reference } = item;
    const note = noteOf(job, { about: 'recording', identity: reference.identity });
    if (note.failed !== undefined) return [this.#fault(reference, null, note, undefined)];
    if (reference.isCollection === true) return await this.#collection(task, item, note);
    let current: RecordingReference;
    try {
      // What was deleted here may be gone at the source as well, which is then no fault.
      const gone = reference.links.length > 0 ? null : await this.#deletedBefore(job, reference);
      if (gone !== null) return [gone];
      // Once stored, a recording may be gone at the source: the API is asked last.
      const known = reference.links.length > 0 ? [] : await this.#storedBefore(job, reference);
      if (known.length > 0) return known;
      current = await this.#withLinks(reference);
      if (!current.links.some(({ isFleeting }) => isFleeting === true)) item.reference = current;
      // A text names its recording by id; once the address is known, the recording may be found under that.
      const found = announcesText(reference) ? await this.#storedBefore(job, current) : [];
      if (found.length > 0) return found;
    } catch (error) {
      note.attempts += 1;
      const held = await this.#storedByAnother(job, item, error);
      return held.length > 0 ? held : [this.#fault(reference, null, note, error)];
    }
    try {
      const files = chooseFormat(current, item.format);
      if (files.length === 0) throw notInFormat(current, item.format);
      return await Promise.all(files.map((file) => this.#file(task, current, file)));
    } catch (error) {
      return [this.#fault(reference, null, note, error)];
    }
  }

  /** Asks in each run which files it stands for, because their links may not work for long. */
  async #collection(task: Task, { reference, format }: JobItem, note: FileNote): Promise<FileResult[]> {
    try {
      const known = await this.#storedBefore(task.job, reference);
      if (known.length > 0) return known;
      const isLast = note.failures >= this.#settings.retries;
      const files = (await this.#deps.expand?.(reference, isLast, this.#closing.signal)) ?? [];
      if (files.length === 0) throw withoutLink(reference);
      const found = await Promise.all(files.map((file) => this.#files(task, { reference: file, format })));
      return found.flat().map(withoutLinks);
    } catch (error) {
      note.attempts += 1;
      return [this.#fault(reference, null, note, error)];
    }
  }

  async #withLinks(reference: RecordingReference): Promise<RecordingReference> {
    if (reference.links.length > 0) return reference;
    const links = (await this.#deps.resolveLinks?.(reference, 'missing', this.#closing.signal)) ?? [];
    if (links.length === 0) throw withoutLink(reference);
    return { ...reference, links };
  }

  /**
   * Finds a recording that an earlier event brought, even without an address.
   *
   * @returns also empty when one of its files is missing or damaged and has to be fetched again
   */
  async #storedBefore(job: Job, reference: RecordingReference): Promise<FileResult[]> {
    const found: FileResult[] = [];
    for (const copy of await storedCopies(this.#index, reference)) {
      const file = await this.#alreadyStored(job, copy);
      if (file === null) return [];
      found.push({ kind: 'stored', reference, wantedFormat: copy.wantedFormat, file, entry: null });
    }
    return found;
  }

  /**
   * The source no longer has a recording that another process with the same archive may have stored and deleted
   * there.
   */
  async #storedByAnother(job: Job, item: JobItem, fault: unknown): Promise<FileResult[]> {
    const { reference } = item;
    if (!(fault instanceof CodedError) || !mayBeGone(fault) || this.#closing.signal.aborted) return [];
    const formats = likelyFormats(reference, item.format);
    const isAudio = reference.kind === 'audio';
    const held: FileResult[] = [];
    // As in the links of the API.
    for (const wantedFormat of isAudio ? formats : [null]) {
      const names = wantedFormat === null ? formats : [wantedFormat];
      const file = await this.#copyOfAnother(job, reference, wantedFormat, names);
      if (file === null) continue;
      const entry = entryOf(job, reference.identity, wantedFormat, file);
      if (entry !== null) this.#known.remember(entry);
      held.push({ kind: 'stored', reference, wantedFormat, file, entry });
      if (item.format !== 'all') break;
    }
    return held;
  }

  async #copyOfAnother(
    job: Job,
    reference: RecordingReference,
    wantedFormat: string | null,
    formats: readonly string[]
  ): Promise<StoredFile | null> {
    const { signal } = this.#closing;
    const note = noteOf(job, { about: 'file', identity: reference.identity, format: wantedFormat });
    note.attempts += 1;
    const progress = this.#progress.begin();
    const turn: Turn = (task) => this.#slots.run(signal, task);
    const file = { format: wantedFormat, links: [] };
    const { message } = job;
    const earlier = (await this.#known.find(reference.identity, wantedFormat)).copy?.recording;
    const options = { reference, file, note, message, earlier, settings: this.#settings, progress };
    const tries = new FileDownload(options, this.#deps, turn);
    let found: StoredFile | null = null;
    try {
      found = await tries.storedByAnother(formats, signal);
    } catch {
      // Keeps the error of the source.
    }
    progress.end(found !== null);
    return found;
  }

  async #file(task: Task, reference: RecordingReference, wanted: WantedFile): Promise<FileResult> {
    const { job } = task;
    const { identity } = reference;
    const key = fileKey(identity, wanted.format);
    const note = noteOf(job, { about: 'file', identity, format: wanted.format });
    if (note.failed !== undefined) return this.#fault(reference, wanted.format, note, undefined);
    const stored = { kind: 'stored', reference, wantedFormat: wanted.format } as const;
    try {
      const running = this.#underWay.get(key);
      if (running !== undefined) return await this.#joined(stored, running);
      const indexed = await this.#known.find(identity, wanted.format);
      const lasting = isLasting(reference) ? indexed : null;
      const copy = lasting?.copy;
      const known = copy === undefined ? null : await this.#alreadyStored(job, copy);
      // The process that stored it may have failed to note that.
      if (known !== null) return { ...stored, file: known, entry: (lasting?.isFresh && copy) || null };
      // Also what was stored a moment ago and is remembered.
      const gone = await this.#deletedBefore(job, reference, wanted);
      if (gone !== null) return gone;
      // Another job may have started during the search for the stored copy.
      const since = this.#underWay.get(key);
      if (since !== undefined) return await this.#joined(stored, since);
      const before = { damaged: copy?.recording, earlier: indexed.copy?.recording };
      const storing = this.#store(job, reference, wanted, before);
      const work = this.#storedAnew(task, stored, storing).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, work);
      return await work;
    } catch (error) {
      const gone = await this.#deletedBefore(job, reference, wanted).catch(() => null);
      return gone ?? this.#fault(reference, wanted.format, note, error);
    }
  }

  /** @returns null: it may be stored */
  async #deletedBefore(
    { acceptedAt }: Job,
    reference: RecordingReference,
    wanted?: WantedFile
  ): Promise<FileResult | null> {
    if (!isLasting(reference) || reference.sample === true) return null;
    const about = { acceptedAt, ...(wanted !== undefined && { wantedFormat: wanted.format }) };
    const tombstone = await deletedBefore(this.#index, reference, about);
    return tombstone === undefined
      ? null
      : { kind: 'deleted', reference, wantedFormat: wanted?.format ?? null, tombstone };
  }

  /**
   * Another job is storing the file. Its entry may reach the index after this job ends, so this one has it, too: what is
   * added to it, such as a text, would otherwise be added to nothing.
   */
  async #joined(stored: StoredFor, running: Promise<StoredResult>): Promise<FileResult> {
    const file = repeated((await running).file);
    const { copy, isFresh } = await this.#known.find(stored.reference.identity, stored.wantedFormat);
    return { ...stored, file, entry: (isFresh && copy) || null };
  }

  /** What others wait for: it ends when the file is among the known ones, so that none of them stores it again. */
  async #storedAnew(
    { job, run }: Task,
    stored: StoredFor,
    storing: Promise<StoredFile>
  ): Promise<StoredResult> {
    const { identity } = stored.reference;
    let file = await storing;
    if (run.isResumed && file.recording.already_stored)
      file = await this.#ownOfEarlierRun(file, identity, stored.wantedFormat);
    const entry = entryOf(job, identity, stored.wantedFormat, file);
    if (entry !== null) this.#known.remember(entry);
    return { ...stored, file, entry };
  }

  /** @param before what the index says of a damaged copy, and of any earlier one */
  async #store(
    job: Job,
    reference: RecordingReference,
    wanted: WantedFile,
    { damaged, earlier }: Record<'damaged' | 'earlier', StoredRecording | undefined>
  ): Promise<StoredFile> {
    const { recording_id: recordingId, event_type: eventType } = reference.details;
    const { message } = job;
    const note = noteOf(job, { about: 'file', identity: reference.identity, format: wanted.format });
    const progress = this.#progress.begin({ recordingId, eventType, format: wanted.format });
    let stored = false;
    try {
      const options = { reference, file: wanted, note, message, earlier, settings: this.#settings, progress };
      const isWanted = async (): Promise<boolean> =>
        (await this.#deletedBefore(job, reference, wanted)) === null;
      const file = await storeFile(
        { ...options, damaged, isWanted },
        this.#deps,
        this.#slots,
        this.#closing.signal
      );
      stored = true;
      return file;
    } finally {
      progress.end(stored);
    }
  }

  /**
   * A file counts as stored only when its bytes, read back now, are still the ones that were stored. What an
   * earlier run of the same job stored is not a repetition.
   */
  async #alreadyStored(job: Job, found: IndexedFile): Promise<StoredFile | null> {
    const { store } = this.#deps;
    const location = locationOf(found.recording);
    if (location === null) return null;
    const file = { recording: found.recording, payload: location };
    if (found.order === job.id) return file;
    if (!store.capabilities.canReadBack) return null;
    const { keeping, now } = this.#deps;
    // It is found again when its bytes have come, and locked then.
    if (
      keeping !== undefined &&
      lacksLock(keeping, now(), { recording: found.recording, message: job.message })
    )
      return null;
    try {
      const { sha256 } = await store.readBack(location, knownCopy(found.recording));
      return sha256 === found.recording.sha256 ? repeated(file) : null;
    } catch {
      return null;
    }
  }

  /**
   * A process that dies after naming the file, but before noting that, has reported nothing: what the next run of its job
   * finds, wherever that is, is not a repetition.
   */
  async #ownOfEarlierRun(
    file: StoredFile,
    identity: string,
    wantedFormat: string | null
  ): Promise<StoredFile> {
    const isOwn = (await this.#known.indexed(identity, wantedFormat)) === undefined;
    return isOwn ? { ...file, recording: { ...file.recording, already_stored: false } } : file;
  }

  #fault(
    reference: RecordingReference,
    wantedFormat: string | null,
    note: FileNote,
    error: unknown
  ): FileResult {
    const { signal } = this.#closing;
    if (signal.aborted) return { kind: 'stopped' };
    const judged = judgeFault(note, error, this.#settings.retries, this.#deps.random);
    return { ...judged, reference, wantedFormat, attempts: note.attempts };
  }
}

type StoredResult = Extract<FileResult, { kind: 'stored' }>;
type StoredFor = Pick<StoredResult, 'kind' | 'reference' | 'wantedFormat'>;

interface Task {
  job: Job;
  run: JobRun;
}

function entryOf(
  job: Job,
  identity: string,
  wantedFormat: string | null,
  { recording, payload }: StoredFile
): IndexedFile | null {
  if (typeof payload !== 'string') return null;
  return { identity, wantedFormat, recording: { ...recording, already_stored: false }, order: job.id };
}

/**
 * Whether the identity will always mean the same recording. An address that a flow set itself may lead to
 * other bytes tomorrow (`…/latest.wav`): it is always fetched, and equal bytes are still stored once.
 */
function isLasting({ details }: RecordingReference): boolean {
  return details.recording_id !== null || details.event_type !== null;
}

/** A job keeps what it stored for later work, which needs no link. */
function withoutLinks(result: FileResult): FileResult {
  return result.kind === 'stopped' ? result : { ...result, reference: { ...result.reference, links: [] } };
}

function repeated(file: StoredFile): StoredFile {
  return { ...file, recording: { ...file.recording, already_stored: true } };
}
