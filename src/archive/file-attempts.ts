import { CodedError } from '../errors/coded-error';
import { filenameValues } from '../naming/filename-values';
import type { WantedFile } from '../recording/choose-format';
import type { MediaLink, RecordingReference } from '../recording/recording-reference';
import type { PartialCopy, PublishedFile } from '../store/store';
import type { TransferResult } from '../transfer/transfer-types';
import type { ArchiveDeps, ArchiveSettings } from './archive-context';
import { partialCopyId } from './archive-job';
import type { FileProgress } from './archive-progress';
import type { StoredFile, StoredRecording } from './stored-recording';

interface Published {
  result: TransferResult;
  file: PublishedFile;
}

/**
 * The attempts to store one file. What an attempt achieved stays: received bytes are gone on with, and
 * a published file whose sidecar failed is not fetched again.
 */
export class FileAttempts {
  attempts = 0;
  #resumed = false;
  #etag: string | undefined;
  #published: Published | undefined;

  constructor(
    private readonly reference: RecordingReference,
    private readonly file: WantedFile,
    private readonly settings: ArchiveSettings,
    private readonly deps: ArchiveDeps,
    private readonly progress: FileProgress
  ) {}

  /**
   * Makes one attempt.
   *
   * @throws CodedError as `transfer` and the store throw; `signal.reason` when aborted
   */
  async attempt(link: MediaLink, signal: AbortSignal): Promise<StoredFile> {
    this.attempts += 1;
    this.#published ??= await this.#fetch(link, signal);
    return await this.#describe(this.#published);
  }

  async #fetch(link: MediaLink, signal: AbortSignal): Promise<Published> {
    const { store } = this.deps;
    const id = partialCopyId(this.settings.scope, this.reference.identity, this.file.format);
    const part = await store.openPart(id);
    try {
      const result = await this.#transfer(link, part, signal);
      const file = await part.publish({
        name: this.#name(result.format),
        sha256: result.sha256,
        size: result.size,
        contentType: result.contentType
      });
      return { result, file };
    } catch (error) {
      const another = signal.aborted || (error instanceof CodedError && error.retryable);
      await (another ? part.suspend() : part.discard());
      throw error;
    }
  }

  #name(format: string): string {
    return this.settings.filename.name(
      filenameValues(this.reference.details, {
        ext: format,
        announced_at: this.reference.announced_at,
        media_index: this.reference.media_index
      })
    );
  }

  async #transfer(link: MediaLink, part: PartialCopy, signal: AbortSignal): Promise<TransferResult> {
    const { maxSize, stallTimeoutMs, network } = this.settings;
    const authorization = this.deps.authorize(link.url);
    const result = await this.deps.transfer({
      url: link.url,
      ...(authorization === undefined ? {} : { authorization }),
      network,
      kind: this.reference.kind,
      maxSize,
      stallTimeoutMs,
      into: part,
      ...(this.#etag === undefined ? {} : { resumeEtag: this.#etag }),
      expected: { size: link.size, sha256: link.sha256 },
      signal,
      onMedia: async ({ format, contentType, size }) => {
        await part.begin?.({ name: this.#name(format), contentType, size });
      },
      onProgress: (received, total) => this.progress.bytes(received, total),
      onValidator: (etag) => {
        this.#etag = etag ?? undefined;
      }
    });
    this.#resumed ||= result.resumed;
    return result;
  }

  async #describe({ result, file }: Published): Promise<StoredFile> {
    const { destination } = this.deps.store;
    const recording: StoredRecording = {
      ...this.reference.details,
      format: result.format,
      size: result.size,
      sha256: result.sha256,
      content_type: result.contentType,
      destination,
      ...place(destination, file.location),
      sidecar: null,
      source_host: result.sourceHost,
      attempts: this.attempts,
      resumed: this.#resumed,
      already_stored: file.alreadyStored,
      stored_at: new Date(this.deps.now()).toISOString(),
      deleted_at_source: null
    };
    if (file.location === null) return { recording, payload: file.content ?? Buffer.alloc(0) };
    if (this.settings.sidecar) await this.#addSidecar(file.location, recording);
    return { recording, payload: file.location };
  }

  /** A file that lay there already keeps its sidecar: that one tells when it was really stored. */
  async #addSidecar(location: string, recording: StoredRecording): Promise<void> {
    const { sidecar } = this.deps;
    recording.sidecar = sidecar.pathOf(location);
    const known = recording.already_stored ? await sidecar.read(location) : null;
    if (known?.['sha256'] !== recording.sha256) await sidecar.write(location, recording);
    else if (typeof known['stored_at'] === 'string') recording.stored_at = known['stored_at'];
  }
}

/** `path`, or `bucket` and `key`, as the destination has them. */
function place(
  destination: string,
  location: string | null
): Pick<StoredRecording, 'path' | 'bucket' | 'key'> {
  if (location === null) return {};
  const s3 = /^s3:\/\/([^/]+)\/(.*)$/s.exec(location);
  if (destination === 'bucket' && s3) return { bucket: s3[1] ?? '', key: s3[2] ?? '' };
  return { path: location };
}
