import { setMaxListeners } from 'node:events';
import { monotonicNow } from '../../clock/clocks';
import { CodedError } from '../../errors/coded-error';
import { filenameValues } from '../../naming/filename-template';
import type { RecordingDetails } from '../../recording/recording-details';
import type { MediaLink, RecordingReference, WantedFile } from '../../recording/recording-reference';
import type { PartialCopy, PublishedFile } from '../../store/destination';
import type { RetentionFacts } from '../../store/kept-facts';
import type { SidecarRecord } from '../../store/sidecar';
import type { StoredFile, StoredRecording } from '../../store/stored-recording';
import type { MediaFound, TransferResult } from '../../transfer/transfer-types';
import { writeContent, writeSample } from '../../transfer/write-content';
import type { ArchiveDeps, ArchiveSettings } from '../archive-context';
import type { FileProgress } from '../archive-progress';
import type { FileNote, MessageSnapshot } from '../queue/job';
import { datesOf, keepFile } from './keeping';
import { ResumePoint, partialCopyId } from './partial-copies';
import { findCopyOfAnother } from './stored-by-another';

interface Published {
  result: TransferResult;
  file: PublishedFile;
}

interface Received {
  /** Holds all of the file. */
  part: PartialCopy;
  result: TransferResult;
}

interface Fetched {
  published: Published;
  /** The contents of its sidecar; undefined if that is not written yet. */
  described: StoredRecording | undefined;
}

/** `isFresh`: the API has just given it. */
type CurrentLink = MediaLink & { isFresh: boolean };

/** The file to store, and how. */
export interface FileDownloadOptions {
  reference: RecordingReference;
  file: WantedFile;
  /** What earlier attempts achieved; updated in place. */
  note: FileNote;
  /** The message that asked for it. */
  message: MessageSnapshot;
  /** What the index says of the file, if it was stored before. */
  earlier: StoredRecording | undefined;
  settings: ArchiveSettings;
  progress: FileProgress;
}

/** Runs a task as soon as there is room for one more transfer. @throws `signal.reason` when aborted */
export type Turn = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * The attempts to store one file. What an attempt achieved is kept: a transfer resumes after the received
 * bytes, and a published file whose sidecar failed is not fetched again.
 */
export class FileDownload {
  readonly #reference: RecordingReference;
  readonly #note: FileNote;
  readonly #message: MessageSnapshot;
  readonly #earlier: StoredRecording | undefined;
  readonly #settings: ArchiveSettings;
  readonly #deps: ArchiveDeps;
  readonly #progress: FileProgress;
  readonly #turn: Turn;
  readonly #resume: ResumePoint;
  readonly #details: DetailsRequest;

  constructor(
    { reference, file, note, message, earlier, settings, progress }: FileDownloadOptions,
    deps: ArchiveDeps,
    turn: Turn
  ) {
    this.#reference = reference;
    this.#note = note;
    this.#message = message;
    this.#earlier = earlier;
    this.#settings = settings;
    this.#deps = deps;
    this.#progress = progress;
    this.#turn = turn;
    this.#details = new DetailsRequest(reference, deps);
    this.#resume = new ResumePoint(
      deps.partials,
      partialCopyId(settings.scope, reference.identity, file.format)
    );
  }

  /**
   * Makes one attempt.
   *
   * @throws CodedError as `transfer` and the store throw; `signal.reason` when aborted
   */
  async attempt(link: CurrentLink, signal: AbortSignal): Promise<StoredFile> {
    this.#note.attempts += 1;
    const published = this.#publishedBefore();
    if (published !== undefined) return await this.#describe(published, signal);
    const fetched = await this.#fetch(link, signal);
    const { published: stored, described } = fetched;
    return described === undefined
      ? await this.#describe(stored, signal)
      : { recording: described, payload: stored.file.location ?? '' };
  }

  /**
   * Takes what another process has stored in the same archive; see `stored-by-another.ts`.
   *
   * @param formats that the file may have
   * @returns null when there is nothing
   */
  async storedByAnother(formats: readonly string[], signal: AbortSignal): Promise<StoredFile | null> {
    for (const format of formats) {
      const wanted = { name: await this.#name(format, signal), format };
      const found = await findCopyOfAnother(this.#deps.store, this.#reference.identity, wanted);
      if (found === null) continue;
      // The received bytes are now useless.
      await this.#deps.store.openPart(this.#resume.copyId).then((part) => part.discard());
      this.#resume.forget();
      return await this.#describe(found, signal);
    }
    return null;
  }

  #publishedBefore(): Published | undefined {
    const { published } = this.#note;
    if (published === undefined) return undefined;
    const { result, ...file } = published;
    return { result, file };
  }

  async #fetch(link: CurrentLink, signal: AbortSignal): Promise<Fetched> {
    const begun: PartialCopy[] = [];
    const receive = async (): Promise<Received> => {
      const part = await this.#deps.store.openPart(this.#resume.copyId);
      begun.push(part);
      await this.#resume.begin(part.size);
      // Requested while the bytes arrive; neither waits for the other.
      if (this.#note.details === undefined) this.#details.begin(signal);
      return { part, result: await this.#transfer(link, part, signal) };
    };
    try {
      // A disk makes one file durable while the next one arrives. In a bucket, publishing is a transfer, too.
      if (this.#deps.store.capabilities.canPublishAside)
        return await this.#publish(await this.#turn(receive), signal);
      return await this.#turn(async () => this.#publish(await receive(), signal));
    } catch (error) {
      for (const part of begun) await this.#leave(part, error, signal);
      throw error;
    }
  }

  async #publish({ part, result }: Received, signal: AbortSignal): Promise<Fetched> {
    const name = await this.#name(result.format, signal);
    await this.#deps.clearPlace?.(result.sha256);
    const { sha256, size, contentType } = result;
    const details = await this.#settled(signal);
    let described: StoredRecording | undefined;
    const sidecar = (location: string): SidecarRecord => {
      const recording = this.#recording(details, { result, file: { location, alreadyStored: false } });
      described = { ...recording, sidecar: this.#deps.store.sidecars.pathOf(location) };
      return { ...described };
    };
    // A file that is to be locked is described once it is.
    const isDescribed = this.#settings.sidecar && (this.#deps.keeping?.lockMode ?? 'none') === 'none';
    const wanted = { name, sha256, size, contentType, ...(isDescribed && { sidecar }) };
    const file = await part.publish(wanted);
    this.#resume.forget();
    if (file.location !== null)
      this.#note.published = {
        result,
        location: file.location,
        alreadyStored: file.alreadyStored,
        ...(file.versionId === undefined ? {} : { versionId: file.versionId })
      };
    return { published: { result, file }, described: file.sidecarWritten === true ? described : undefined };
  }

  /** After a fault: keeps what was received if another attempt can use it. */
  async #leave(part: PartialCopy, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (error instanceof CodedError && error.retryable)) {
      await part.suspend();
      await this.#resume.keep(part.size);
    } else {
      await part.discard();
      this.#resume.forget();
    }
  }

  /** The details in a file name are fixed with that name: a resumed copy may have started under it. */
  async #settled(signal: AbortSignal): Promise<RecordingDetails> {
    const note = this.#note;
    if (note.details !== undefined) return note.details;
    const { details, areLate } = await this.#details.take(signal);
    if (areLate) note.areDetailsLate = true;
    return (note.details ??= details);
  }

  async #name(format: string, signal: AbortSignal): Promise<string> {
    const { announced_at, media_index, meeting, output } = this.#reference;
    const details = await this.#settled(signal);
    const kind = meeting === undefined ? null : details.track;
    // A recording and its texts are beside each other: `….mp4`, `….transcript.vtt`, `….chat.vtt`.
    const ext = output === undefined || details.track === null ? format : `${details.track}.${format}`;
    const facts = { ext, announced_at, media_index, kind };
    return this.#settings.filename.name(filenameValues(details, facts));
  }

  async #transfer(link: CurrentLink, part: PartialCopy, signal: AbortSignal): Promise<TransferResult> {
    const { maxSize, stallTimeoutMs, network } = this.#settings;
    const begin = async ({ format, contentType, size }: MediaFound): Promise<void> => {
      if (part.begin) await part.begin({ name: await this.#name(format, signal), contentType, size });
    };
    const inHand = { format: link.format, maxSize, into: part, onMedia: begin };
    if (link.content !== undefined) return await writeContent(link.content, inHand);
    if (link.sample !== undefined) return await writeSample(link.sample, this.#reference.identity, inHand);
    const authorization = link.isFleeting === true ? undefined : this.#deps.authorize(link.url);
    const { file } = this.#resume;
    return await this.#deps.transfer({
      url: link.url,
      isFresh: link.isFresh,
      ...(authorization === undefined ? {} : { authorization }),
      network,
      kind: this.#reference.kind,
      textFormat: this.#reference.details.format,
      maxSize,
      stallTimeoutMs,
      into: part,
      ...(file === undefined ? {} : { resumeEtag: file.etag }),
      ...(file === undefined || file.size === null ? {} : { resumeSize: file.size }),
      expected: { size: link.size, sha256: link.sha256 },
      signal,
      onMedia: begin,
      onProgress: (received, total) => {
        this.#progress.bytes(received, total);
        this.#resume.received(received);
      },
      onValidator: (etag, size) => this.#resume.validator(etag, size)
    });
  }

  async #describe(published: Published, signal: AbortSignal): Promise<StoredFile> {
    const { file } = published;
    const recording = this.#recording(await this.#settled(signal), published);
    if (file.location === null) return { recording, payload: file.content ?? Buffer.alloc(0) };
    const { keeping } = this.#deps;
    const kept = { location: file.location, recording, note: this.#note };
    // Before the sidecar, which says that it is locked.
    if (keeping !== undefined) await keepFile(keeping, this.#deps, kept);
    if (this.#settings.sidecar) await this.#addSidecar(file.location, recording);
    return { recording, payload: file.location };
  }

  #recording(details: RecordingDetails, { result, file }: Published): StoredRecording {
    const { kind: destination } = this.#deps.store;
    const recording: StoredRecording = {
      ...details,
      format: result.format,
      size: result.size,
      sha256: result.sha256,
      content_type: result.contentType,
      destination,
      ...place(destination, file),
      sidecar: null,
      source_host: result.sourceHost,
      attempts: this.#note.attempts,
      resumed: result.resumed,
      already_stored: file.alreadyStored,
      stored_at: new Date(this.#deps.now()).toISOString(),
      deleted_at_source: null,
      identity: this.#reference.identity,
      ...(this.#reference.sample === true && { sample: true })
    };
    const retention = recording.sample === true ? null : this.#dates(recording);
    if (retention !== null) recording.retention = retention;
    return recording;
  }

  #dates(recording: StoredRecording): RetentionFacts | null {
    const { keeping } = this.#deps;
    const [message, note, earlier] = [this.#message, this.#note, this.#earlier];
    const isDated = keeping?.hasPolicy === true || [message, note, earlier].some((one) => one?.retention);
    return keeping !== undefined && isDated ? datesOf(keeping, { recording, message, note, earlier }) : null;
  }

  /** An existing file keeps its sidecar, which says when it was really stored. */
  async #addSidecar(location: string, recording: StoredRecording): Promise<void> {
    const { sidecars } = this.#deps.store;
    recording.sidecar = sidecars.pathOf(location);
    const known = recording.already_stored ? await sidecars.read(location) : null;
    if (known?.['sha256'] !== recording.sha256) await sidecars.write(location, recording);
    else {
      if (typeof known['stored_at'] === 'string') recording.stored_at = known['stored_at'];
      const { retention, lock } = recording;
      // What it says otherwise stays: other jobs may have added to it.
      if (lock !== undefined || (retention !== undefined && known['retention'] === undefined))
        await sidecars.write(location, { ...recording, ...known, retention, lock } as StoredRecording);
    }
  }
}

/** `path`, or `bucket`, `key` and `version_id`, as the destination has them. */
function place(
  destination: string,
  { location, versionId = null }: PublishedFile
): Pick<StoredRecording, 'path' | 'bucket' | 'key' | 'version_id'> {
  if (location === null) return {};
  const s3 = /^s3:\/\/([^/]+)\/(.*)$/s.exec(location);
  if (destination === 'bucket' && s3) return { bucket: s3[1] ?? '', key: s3[2] ?? '', version_id: versionId };
  return { path: location };
}

/** How long a recording waits for its details, in milliseconds from when the API is asked. */
const DETAILS_BUDGET_MS = 2000;

interface TakenDetails {
  details: RecordingDetails;
  /** The API did not return its details in time, and may do so later. */
  areLate: boolean;
}

/**
 * Asks the API for the details of one recording while its file is transferred. A slow or unavailable API
 * costs the recording only a moment, and its details for now.
 */
class DetailsRequest {
  readonly #reference: RecordingReference;
  readonly #deps: Pick<ArchiveDeps, 'completeDetails' | 'detailsBudgetMs'>;
  #asked: Promise<TakenDetails> | undefined;
  #askedAt = 0;
  readonly #stop = new AbortController();

  constructor(reference: RecordingReference, deps: Pick<ArchiveDeps, 'completeDetails' | 'detailsBudgetMs'>) {
    this.#reference = reference;
    this.#deps = deps;
  }

  /** Asks, unless already asked. */
  begin(signal: AbortSignal): void {
    void this.#begun(signal);
  }

  /**
   * What is known now, or when the budget is spent.
   *
   * @throws `signal.reason` when aborted, nothing else
   */
  async take(signal: AbortSignal): Promise<TakenDetails> {
    const asked = this.#begun(signal);
    const { detailsBudgetMs = DETAILS_BUDGET_MS } = this.#deps;
    const rest = Math.max(0, this.#askedAt + detailsBudgetMs - monotonicNow());
    let timer: NodeJS.Timeout | undefined;
    // Existing results win over any timer.
    const late = new Promise<TakenDetails>((resolve) => {
      timer = setTimeout(() => resolve({ details: this.#reference.details, areLate: true }), rest);
    });
    try {
      const taken = await Promise.race([asked, late]);
      signal.throwIfAborted();
      if (taken.areLate)
        this.#stop.abort(new CodedError('STALLED', 'Its time is over.', { retryable: true }));
      return taken;
    } finally {
      clearTimeout(timer);
    }
  }

  #begun(signal: AbortSignal): Promise<TakenDetails> {
    if (this.#asked !== undefined) return this.#asked;
    this.#askedAt = monotonicNow();
    this.#asked = this.#ask(signal);
    // Reported to the caller that takes the details, if any.
    this.#asked.catch(() => undefined);
    return this.#asked;
  }

  async #ask(signal: AbortSignal): Promise<TakenDetails> {
    const { details } = this.#reference;
    const { completeDetails } = this.#deps;
    if (completeDetails === undefined) return { details, areLate: false };
    signal.throwIfAborted();
    const abort = (): void => this.#stop.abort(signal.reason);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return { details: await completeDetails(this.#reference, this.#stop.signal), areLate: false };
    } catch (error) {
      signal.throwIfAborted();
      return { details, areLate: error instanceof CodedError && error.retryable };
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
