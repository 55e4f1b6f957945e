import type { Semaphore } from '../../concurrency/semaphore';
import { CodedError } from '../../errors/coded-error';
import { recordingName } from '../../evidence/custody/custody-line';
import type { MediaLink, RecordingReference, WantedFile } from '../../recording/recording-reference';
import type { StoredFile, StoredRecording } from '../../store/stored-recording';
import { keyDigest } from '../../values/fields';
import type { ArchiveDeps } from '../archive-context';
import type { FileNote } from '../queue/job';
import { FileDownload, type FileDownloadOptions, type Turn } from './file-download';
import { likelyFormats, mayBeGone } from './stored-by-another';

/** Faults of the address, not of the moment: another address of the same file may still work. */
const DEAD_LINK = new Set(['LINK_EXPIRED', 'LINK_REFUSED', 'NOT_MEDIA', 'UNSAFE_URL', 'UNSUPPORTED_URL']);

export interface StoreFileOptions extends FileDownloadOptions {
  /** What the index says of a damaged copy; undefined: there is none. */
  damaged: Pick<StoredRecording, 'path' | 'sha256'> | undefined;
  /** Whether it may still be stored: asked once more when all of it has come. */
  isWanted: () => Promise<boolean>;
}

/**
 * Tries once to store one file. When an address has expired, or a rejection may mean that, it uses the next
 * one; after the last it asks the API for a fresh one. When that fails, too, a pause may help.
 *
 * @param slots room for transfers
 * @throws CodedError whose `retryable` says whether another attempt makes sense; `signal.reason` when aborted
 */
export async function storeFile(
  { damaged, isWanted, ...options }: StoreFileOptions,
  deps: ArchiveDeps,
  slots: Semaphore,
  signal: AbortSignal
): Promise<StoredFile> {
  const { reference, file, note, progress } = options;
  const turn: Turn = (task) =>
    slots.run(signal, () => {
      progress.working();
      return task().finally(() => progress.waiting());
    });
  const clearPlace = async (fresh: string): Promise<void> => {
    if (!(await isWanted()))
      throw new CodedError('GAVE_UP', 'The recording was deleted while it was stored once more.');
    if (damaged?.path !== undefined) await clearPlaceOf(damaged, { ...options, fresh }, deps);
  };
  const tries = new FileDownload(options, { ...deps, clearPlace }, turn);
  const links = new LinkSupply(reference, file, note, deps);
  let link = links.first();
  const storedByAnother = async (fault: unknown): Promise<StoredFile | null> => {
    if (signal.aborted || !(fault instanceof CodedError) || !mayBeGone(fault)) return null;
    const format = file.format ?? link.format;
    const formats = format === null ? likelyFormats(reference, 'any') : [format];
    return await tries.storedByAnother(formats, signal).catch(() => null);
  };
  for (;;) {
    try {
      return await tries.attempt({ ...link, isFresh: links.areFresh }, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof CodedError)) throw error;
      const stored = await storedByAnother(error);
      if (stored !== null) return stored;
      if (error.retryable && !error.linkInDoubt) throw error;
      let next: MediaLink | undefined;
      try {
        if (DEAD_LINK.has(error.code)) next = await links.next(error, signal);
      } catch (fault) {
        // It may have been deleted since the last check.
        const since = await storedByAnother(fault);
        if (since !== null) return since;
        throw fault;
      }
      if (next === undefined)
        throw links.areFresh && mayBeRenewed(error) && !error.retryable ? later(error) : error;
      link = next;
    }
  }
}

/**
 * Frees the name of a damaged copy right before a fresh one gets it. A damaged copy that is held for a case, or cannot be
 * renamed, keeps its name, and the fresh one gets another.
 *
 * @returns never rejects
 */
async function clearPlaceOf(
  { path = '', sha256: expected }: Pick<StoredRecording, 'path' | 'sha256'>,
  { reference: { identity, details }, settings, fresh }: FileDownloadOptions & { fresh: string },
  { store, holds }: ArchiveDeps
): Promise<void> {
  if (!store.capabilities.canSetAside) return;
  const asked = {
    ids: [keyDigest(identity)],
    recording: recordingName(details.recording_id, identity),
    reason: 'damaged',
    actor: `node:${settings.scope}`
  } as const;
  await holds.permitted(asked, () => store.setAside(path, { expected, fresh })).catch(() => null);
}

/** The addresses of one file, best first; after the last, fresh ones from the API, once. */
class LinkSupply {
  readonly #reference: RecordingReference;
  readonly #file: WantedFile;
  readonly #note: FileNote;
  readonly #deps: ArchiveDeps;
  #rest: MediaLink[];
  #asked = false;

  constructor(reference: RecordingReference, file: WantedFile, note: FileNote, deps: ArchiveDeps) {
    this.#reference = reference;
    this.#file = file;
    this.#note = note;
    this.#deps = deps;
    this.#rest = [...(note.links ?? file.links)];
  }

  get #isFleeting(): boolean {
    return this.#file.links.some((link) => link.isFleeting === true);
  }

  /** Whether the API has just given the addresses. */
  get areFresh(): boolean {
    return this.#asked;
  }

  first(): MediaLink {
    const link = this.#rest.shift();
    if (link === undefined) throw new CodedError('NO_RECORDING', 'The recording has no address.');
    return link;
  }

  async next(fault: CodedError, signal: AbortSignal): Promise<MediaLink | undefined> {
    const { resolveLinks } = this.#deps;
    const mayBeDead = mayBeRenewed(fault) || this.#isFleeting;
    if (this.#rest.length === 0 && !this.#asked && mayBeDead && resolveLinks !== undefined) {
      const fresh = await resolveLinks(this.#reference, 'dead', signal).catch((error: unknown) => {
        // The old link may still start to work.
        throw fault.retryable && !signal.aborted ? fault : withReason(fault, error);
      });
      this.#asked = fresh.length > 0;
      this.#rest = fresh.filter(({ format }) => this.#file.format === null || format === this.#file.format);
      if (this.#rest.length > 0 && !this.#isFleeting) this.#note.links = [...this.#rest];
    }
    return this.#rest.shift();
  }
}

function mayBeRenewed({ code }: CodedError): boolean {
  return code === 'LINK_EXPIRED' || code === 'LINK_REFUSED';
}

/** Keeps the reason why the old link failed when there is no fresh one either. */
function withReason(fault: CodedError, error: unknown): unknown {
  if (!(error instanceof CodedError) || error.retryable || error.code !== 'LINK_EXPIRED') return error;
  return fault.code === 'LINK_EXPIRED'
    ? error
    : new CodedError(fault.code, `${fault.message} ${error.message}`, { cause: error });
}

/** A link that was made a moment ago is not dead: storage and API disagree, and will agree again. */
function later(fault: CodedError): CodedError {
  return new CodedError(
    fault.code,
    `${fault.message} The API had just given this link; the next attempt waits.`,
    {
      cause: fault,
      retryable: true
    }
  );
}
