import { CodedError } from '../errors/coded-error';
import type { WantedFile } from '../recording/choose-format';
import type { MediaLink, RecordingReference } from '../recording/recording-reference';
import type { ArchiveDeps, ArchiveSettings } from './archive-context';
import type { FileProgress } from './archive-progress';
import { backoffMs } from './backoff';
import { FileAttempts } from './file-attempts';
import type { Semaphore } from './semaphore';
import type { StoredFile } from './stored-recording';

/** Faults of the address, not of the moment: another address of the same file may still work. */
const DEAD_LINK = new Set(['LINK_EXPIRED', 'LINK_REFUSED', 'NOT_MEDIA', 'UNSAFE_URL', 'UNSUPPORTED_URL']);

/**
 * Stores one file: tries until it is there, a fault is final, or the retries are used up. What is
 * worth another attempt is tried again after a growing pause, in which the place is free for others;
 * a dead address is left for the next one, and when there is none the API is asked once.
 *
 * @throws CodedError the fault itself when it is final, `GAVE_UP` after the last retry;
 *   `signal.reason` when aborted
 */
export async function storeFile(
  reference: RecordingReference,
  file: WantedFile,
  settings: ArchiveSettings,
  deps: ArchiveDeps,
  slots: Semaphore,
  progress: FileProgress,
  signal: AbortSignal
): Promise<StoredFile> {
  const tries = new FileAttempts(reference, file, settings, deps, progress);
  const links = new LinkSupply(reference, file, deps);
  let link = links.first();
  let failures = 0;
  for (;;) {
    try {
      return await slots.run(signal, () => {
        progress.working();
        return tries.attempt(link, signal);
      });
    } catch (error) {
      progress.waiting();
      if (signal.aborted || !(error instanceof CodedError)) throw error;
      if (error.retryable) {
        failures += 1;
        if (failures > settings.retries) throw gaveUp(error, tries.attempts);
        await deps.sleep(backoffMs(failures, deps.random(), error.retryAfterMs), signal);
      } else {
        const next = DEAD_LINK.has(error.code) ? await links.next(error, signal) : undefined;
        if (next === undefined) throw error;
        link = next;
      }
    }
  }
}

/** The addresses of one file, best first; at their end, fresh ones from the API, once. */
class LinkSupply {
  #rest: MediaLink[];
  #asked = false;

  constructor(
    private readonly reference: RecordingReference,
    private readonly file: WantedFile,
    private readonly deps: ArchiveDeps
  ) {
    this.#rest = [...file.links];
  }

  first(): MediaLink {
    const link = this.#rest.shift();
    if (link === undefined) throw new CodedError('NO_RECORDING', 'The recording has no address.');
    return link;
  }

  async next(fault: CodedError, signal: AbortSignal): Promise<MediaLink | undefined> {
    const { resolveLinks } = this.deps;
    const mayBeRenewed = fault.code === 'LINK_EXPIRED' || fault.code === 'LINK_REFUSED';
    if (this.#rest.length === 0 && !this.#asked && mayBeRenewed && resolveLinks !== undefined) {
      this.#asked = true;
      const fresh = await resolveLinks(this.reference, 'dead', signal);
      this.#rest = fresh.filter((link) => this.file.format === null || link.format === this.file.format);
    }
    return this.#rest.shift();
  }
}

function gaveUp(last: CodedError, attempts: number): CodedError {
  const times = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  return new CodedError('GAVE_UP', `Gave up after ${times}. The last one: ${last.message}`, { cause: last });
}
