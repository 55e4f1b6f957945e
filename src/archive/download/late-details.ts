import { LONGEST_PAUSE_MS } from '../../clock/backoff';
import { KeyedMutex } from '../../concurrency/keyed-runs';
import type { RecordingDetails } from '../../recording/recording-details';
import type { RecordingReference } from '../../recording/recording-reference';
import type { SidecarWriter } from '../../store/destination';
import { type StoredRecording, locationOf } from '../../store/stored-recording';
import type { ArchiveDeps } from '../archive-context';
import { type Effects, entering } from '../effects';
import type { IndexedFile, StoredIndex } from '../index/stored-index';

/** About a day, with the pauses between them. */
export const MOST_DETAILS_ATTEMPTS = 100;
const FIRST_PAUSE_MS = 15_000;

/**
 * @param failures attempts that failed, from 1
 * @param random from 0 to 1
 * @param askedMs what the other side asked for; never shorter than that
 * @returns milliseconds until the API is asked again for details
 */
export function detailsPauseMs(failures: number, random: number, askedMs = 0): number {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return Math.max(Math.round(ceiling * (0.5 + random / 2)), Math.min(askedMs, LONGEST_PAUSE_MS));
}

/** What the API added. */
export type AddedDetails = Partial<RecordingDetails>;

export interface LateDetailsDeps {
  index: StoredIndex;
  sidecar: SidecarWriter;
  completeDetails?: ArchiveDeps['completeDetails'];
  /** Shared by everything that updates sidecars in the same place, by location. */
  turns?: KeyedMutex;
}

/**
 * Completes the details of recordings that were stored before the API returned theirs. Their files keep their
 * names.
 */
export class LateDetails {
  readonly #deps: LateDetailsDeps;
  readonly #turns: KeyedMutex;

  constructor(deps: LateDetailsDeps) {
    this.#deps = deps;
    this.#turns = deps.turns ?? new KeyedMutex();
  }

  /**
   * Asks the API once, and updates the sidecars of the recording. A removed sidecar is not recreated.
   *
   * @returns the new details, and the effects that add them to the index
   * @throws CodedError as `completeDetails` and the sidecars; `signal.reason` when aborted
   */
  async complete(
    reference: RecordingReference,
    signal: AbortSignal
  ): Promise<{ added: AddedDetails; effects: Effects }> {
    const { index, completeDetails } = this.#deps;
    const described: IndexedFile[] = [];
    const details = (await completeDetails?.(reference, signal)) ?? reference.details;
    const added = difference(reference.details, details);
    const news = Object.keys(added).length > 0;
    for (const known of news ? await index.find(reference.identity) : []) {
      const { recording } = known;
      const location = locationOf(recording);
      if (location !== null && recording.sidecar !== null)
        await this.#turns.run(location, () => this.#describe(location, recording, added));
      described.push({ ...known, recording: withAdded(recording, added) });
    }
    return { added, effects: entering(index, described) };
  }

  /** The sidecar may know more than the index: of a text, or a deletion, that was noted there a moment ago. */
  async #describe(location: string, recording: StoredRecording, added: AddedDetails): Promise<void> {
    const { sidecar } = this.#deps;
    const found = await sidecar.read(location);
    if (found?.['sha256'] !== recording.sha256) return;
    await sidecar.write(location, withAdded({ ...recording, ...found }, added));
  }
}

/** Fills in what is null; what is known is never overwritten. */
export function withAdded<Known extends RecordingDetails>(known: Known, added: AddedDetails): Known {
  const missing = Object.entries(added).filter(([name]) => known[name as keyof RecordingDetails] === null);
  return { ...known, ...Object.fromEntries(missing) };
}

function difference(said: RecordingDetails, complete: RecordingDetails): AddedDetails {
  const names = Object.keys(complete) as (keyof RecordingDetails)[];
  const news = names.filter((name) => said[name] === null && complete[name] !== null);
  return Object.fromEntries(news.map((name) => [name, complete[name]]));
}
