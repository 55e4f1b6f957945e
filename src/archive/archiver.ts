import { CodedError } from '../errors/coded-error';
import { chooseFormat, type WantedFile } from '../recording/choose-format';
import type { RecordingReference } from '../recording/recording-reference';
import type { ReadBack, Store } from '../store/store';
import type { ArchiveDeps, ArchiveSettings } from './archive-context';
import type { ArchiveJob } from './archive-job';
import type { ArchiveProgress } from './archive-progress';
import { Semaphore } from './semaphore';
import { storeFile } from './store-file';
import { MemoryStoredIndex, type StoredIndex } from './stored-index';
import type { StoredFile } from './stored-recording';

/** How one file of a job ended. */
export type FileOutcome = { ok: true; file: StoredFile } | { ok: false; error: Error };

/**
 * Archives recordings for one node: several at once, each only once at a time, and none that is
 * stored already.
 */
export class Archiver {
  readonly #slots: Semaphore;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<string, Promise<StoredFile>>();
  readonly #jobs = new Set<Promise<FileOutcome[]>>();

  constructor(
    private readonly settings: ArchiveSettings,
    private readonly deps: ArchiveDeps,
    private readonly progress: ArchiveProgress,
    private readonly index: StoredIndex = new MemoryStoredIndex()
  ) {
    this.#slots = new Semaphore(settings.concurrency);
  }

  /**
   * Stores all files of a recording.
   *
   * @returns one outcome per file, one failure when not even the files could be told. Never rejects.
   */
  archive(job: ArchiveJob): Promise<FileOutcome[]> {
    const work = this.#run(job);
    this.#jobs.add(work);
    return work.finally(() => this.#jobs.delete(work));
  }

  /**
   * Stops all work; what was received so far stays for a later attempt. Jobs under way end with `reason`.
   */
  async close(reason: CodedError): Promise<void> {
    this.#closing.abort(reason);
    await Promise.allSettled(this.#jobs);
  }

  async #run({ reference, format }: ArchiveJob): Promise<FileOutcome[]> {
    try {
      const resolved = await this.#withLinks(reference);
      if (resolved.links.length === 0) return await this.#storedBefore(reference);
      const files = chooseFormat(resolved, format);
      if (files.length === 0) throw notInFormat(resolved, format);
      return await Promise.all(files.map((file) => this.#outcome(resolved, file)));
    } catch (error) {
      return [failure(error)];
    }
  }

  async #withLinks(reference: RecordingReference): Promise<RecordingReference> {
    if (reference.links.length > 0 || this.deps.resolveLinks === undefined) return reference;
    const links = await this.deps.resolveLinks(reference, 'missing', this.#closing.signal);
    return { ...reference, links };
  }

  /** Without an address there is still an answer for a recording that an earlier event brought. */
  async #storedBefore(reference: RecordingReference): Promise<FileOutcome[]> {
    const found: FileOutcome[] = [];
    for (const { wantedFormat } of this.index.find(reference.identity)) {
      const file = await this.#alreadyStored(reference.identity, wantedFormat);
      if (file !== null) found.push({ ok: true, file });
    }
    if (found.length === 0) throw withoutLink(reference);
    return found;
  }

  async #outcome(reference: RecordingReference, wanted: WantedFile): Promise<FileOutcome> {
    const key = `${reference.identity}\n${wanted.format ?? ''}`;
    const running = this.#underWay.get(key);
    try {
      if (running !== undefined) return { ok: true, file: repeated(await running) };
      const work = this.#store(reference, wanted).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, work);
      return { ok: true, file: await work };
    } catch (error) {
      return failure(error);
    }
  }

  async #store(reference: RecordingReference, wanted: WantedFile): Promise<StoredFile> {
    const progress = this.progress.begin();
    let stored = false;
    try {
      const known = isLasting(reference)
        ? await this.#alreadyStored(reference.identity, wanted.format)
        : null;
      const { signal } = this.#closing;
      const file =
        known ??
        (await storeFile(reference, wanted, this.settings, this.deps, this.#slots, progress, signal));
      stored = true;
      if (typeof file.payload === 'string')
        this.index.add(reference.identity, { wantedFormat: wanted.format, recording: file.recording });
      return file;
    } finally {
      progress.end(stored);
    }
  }

  /** A file counts as stored only when its bytes, read back now, are still the ones that were stored. */
  async #alreadyStored(identity: string, wantedFormat: string | null): Promise<StoredFile | null> {
    const { store } = this.deps;
    const found = this.index.find(identity).find((file) => file.wantedFormat === wantedFormat)?.recording;
    const location =
      found?.path ?? (found?.bucket === undefined ? undefined : `s3://${found.bucket}/${found.key ?? ''}`);
    if (found === undefined || location === undefined || !canReadBack(store)) return null;
    try {
      const { sha256 } = await store.readBack(location);
      return sha256 === found.sha256 ? repeated({ recording: found, payload: location }) : null;
    } catch {
      return null;
    }
  }
}

function canReadBack(store: Store): store is Store & ReadBack {
  return 'readBack' in store;
}

/**
 * Whether the identity will always mean the same recording. An address that a flow set itself may have
 * other bytes tomorrow (`…/latest.wav`): it is always fetched, and equal bytes are still stored once.
 */
function isLasting({ details }: RecordingReference): boolean {
  return details.recording_id !== null || details.event_type !== null;
}

function repeated(file: StoredFile): StoredFile {
  return { ...file, recording: { ...file.recording, already_stored: true } };
}

function failure(error: unknown): FileOutcome {
  return { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
}

function notInFormat(reference: RecordingReference, format: string): CodedError {
  const offered = [...new Set(reference.links.map((link) => link.format ?? 'an unknown format'))].join(', ');
  return new CodedError(
    'NO_RECORDING',
    `The recording is wanted as ${format}, but there is only ${offered}. Choose the format "any" in the download node, ` +
      `or have the call recorded as ${format}.`
  );
}

function withoutLink(reference: RecordingReference): CodedError {
  return new CodedError(
    'NO_RECORDING',
    `The message names the recording ${reference.details.recording_id ?? ''} but has no link to it. Send the event that ` +
      'carries the link (such as call.recording.saved), or set msg.url.'
  );
}
