import { createHash } from 'node:crypto';
import { KeyedMutex } from '../../concurrency/keyed-mutex';
import { CodedError } from '../../errors/coded-error';
import type { RecordingProvider } from '../../providers/provider';
import { identityOfUrl } from '../../recording/identity';
import type { RecordingReference } from '../../recording/recording-reference';
import type { SidecarWriter, TextWriter } from '../../store/destination';
import { nameVariants } from '../../store/folder/archive-path';
import type { StoredFile, StoredRecording } from '../../store/stored-recording';
import type { IndexedFile, StoredIndex } from '../index/stored-index';

export interface TranscriptDeps {
  sidecar: SidecarWriter;
  texts: TextWriter;
  /** Left out when no API is at hand. */
  fetchTranscript?: RecordingProvider['fetchTranscript'];
  /** Shared by all that bring sidecars of the same place up to date, by location. */
  turns?: KeyedMutex;
}

/** Whether an event brings the text of a recording, or names one. */
export function announcesText({ details, transcription_id }: RecordingReference): boolean {
  return details.transcription !== null || transcription_id !== undefined;
}

/**
 * The stored files of a recording under any of its names. An event without an id had its recording
 * stored under its address; who knows the id finds it by the address that the API gives for it.
 *
 * @param reference with the links that the API gave, if it was asked
 */
export function storedCopies(
  index: Pick<StoredIndex, 'find'>,
  { identity, details, links }: Pick<RecordingReference, 'identity' | 'details' | 'links'>
): readonly IndexedFile[] {
  const names = [identity, ...links.map(({ url }) => identityOfUrl(details.provider, url))];
  for (const name of names) {
    const found = index.find(name);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Files the text of a recording beside its stored audio: `<same name>.txt`, and `transcription` and
 * `transcription_file` in the sidecar. It does not matter which of the two came first, as long as the
 * audio is stored when this is called. May be repeated: the same text is filed once, a later text of the
 * same recording takes the place of an earlier one.
 */
export class TranscriptFiling {
  readonly #deps: TranscriptDeps;
  readonly #turns: KeyedMutex;

  constructor(deps: TranscriptDeps) {
    this.#deps = deps;
    this.#turns = deps.turns ?? new KeyedMutex();
  }

  /**
   * @param stored a file of the recording
   * @param reference of the event that announced the text
   * @returns the file as it is described now, for `msg.recording` and the index; `stored` itself when
   *   there is no text
   * @throws CodedError `STORE_FAILED`, or as `fetchTranscript`; `signal.reason` when aborted
   */
  async file(stored: StoredFile, reference: RecordingReference, signal: AbortSignal): Promise<StoredFile> {
    const text =
      reference.details.transcription ?? (await this.#deps.fetchTranscript?.(reference, signal)) ?? null;
    if (text === null) return stored;
    const { payload, recording } = stored;
    if (typeof payload !== 'string') return { payload, recording: { ...recording, transcription: text } };
    return await this.#turns.run(payload, async () => ({
      payload,
      recording: await this.#fileBeside(payload, recording, text)
    }));
  }

  async #fileBeside(location: string, recording: StoredRecording, text: string): Promise<StoredRecording> {
    const { sidecar } = this.#deps;
    const known = recording.sidecar === null ? null : await sidecar.read(location);
    const earlier = known?.['transcription_file'] ?? recording.transcription_file;
    const transcription_file = await this.#write(location, text, earlier);
    const described = { ...recording, transcription: text, transcription_file };
    if (recording.sidecar === null) return described;
    // The sidecar may know more than who stored the audio long ago, and it says how that was stored.
    const deleted = known?.['deleted_at_source'];
    if (typeof deleted === 'string') described.deleted_at_source = deleted;
    await sidecar.write(location, { ...described, already_stored: known?.['already_stored'] === true });
    return described;
  }

  async #write(location: string, text: string, earlier: unknown): Promise<string> {
    const names = [...textLocations(location)];
    // Only a name that can be ours: a sidecar is a file that others can write.
    const own = names.find((name) => name === earlier);
    if (own !== undefined) {
      if ((await this.#deps.texts.create(own, text)) === 'taken') await this.#deps.texts.replace(own, text);
      return own;
    }
    for (const name of names) if ((await this.#deps.texts.create(name, text)) !== 'taken') return name;
    throw new CodedError(
      'STORE_FAILED',
      `The text of ${location} was not filed: other files have all the names that it could have beside it.`
    );
  }
}

/** `call.mp3` has `call.txt`, else `call_2.txt` … */
function textLocations(location: string): Iterable<string> {
  const stem = location.replace(/\.[^./\\]{1,8}$/, '');
  const tail = createHash('sha256').update(location).digest('hex').slice(0, 12);
  return nameVariants(`${stem}.txt`, tail);
}
