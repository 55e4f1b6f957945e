import { createHash } from 'node:crypto';
import { KeyedMutex } from '../../concurrency/keyed-runs';
import { CodedError } from '../../errors/coded-error';
import type { RecordingProvider } from '../../providers/provider';
import { announcesText } from '../../recording/find-recordings';
import { type RecordingReference } from '../../recording/recording-reference';
import type { SidecarWriter, TextWriter } from '../../store/destination';
import { nameVariants } from '../../store/folder/archive-path';
import type { StoredFile, StoredRecording } from '../../store/stored-recording';
import { type IndexedFile, type StoredIndex, storedCopies } from '../index/stored-index';
import type { FileResult } from '../queue/run-result';
import { isSuperseded } from './filed-text';

export interface TranscriptDeps {
  sidecar: SidecarWriter;
  texts: TextWriter;
  /** Absent when no API is available. */
  fetchTranscript?: RecordingProvider['fetchTranscript'];
  /** Shared by everything that updates sidecars in the same place, by location. */
  turns?: KeyedMutex;
}

/**
 * Files the text of a recording beside its stored audio: `<same name>.txt`, and `transcription` and
 * `transcription_file` in the sidecar. It does not matter which of the two came first, as long as the audio
 * is stored when this is called. May be repeated: the same text is filed only once, a later text of the same
 * recording replaces the earlier one, and an earlier one never a later one.
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
      recording: await this.#fileBeside(payload, recording, { text, reference })
    }));
  }

  async #fileBeside(
    location: string,
    recording: StoredRecording,
    { text, reference }: { text: string; reference: RecordingReference }
  ): Promise<StoredRecording> {
    const { sidecar } = this.#deps;
    const known = recording.sidecar === null ? null : await sidecar.read(location);
    const later = laterText(known ?? recording, reference);
    if (later !== null) return { ...recording, ...later };
    const earlier = known?.['transcription_file'] ?? recording.transcription_file;
    const transcription_file = await this.#write(location, text, earlier);
    const { announced_at } = reference;
    const described = {
      ...recording,
      transcription: text,
      transcription_file,
      ...(announced_at !== null && { transcribed_at: announced_at })
    };
    if (recording.sidecar === null) return described;
    // The sidecar may be more complete than the caller's details, and it records how the audio was stored.
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

/** The text that is filed already, when it is later than the one of a reference; else null. */
function laterText(
  known: Readonly<Record<string, unknown>> | StoredRecording,
  reference: RecordingReference
): Pick<StoredRecording, 'transcription' | 'transcription_file' | 'transcribed_at'> | null {
  const { transcription, transcription_file, transcribed_at } = known;
  if (typeof transcription !== 'string' || typeof transcribed_at !== 'string') return null;
  if (!isSuperseded({ transcribed_at }, reference)) return null;
  return {
    transcription,
    transcribed_at,
    ...(typeof transcription_file === 'string' && { transcription_file })
  };
}

/** For `call.mp3`: `call.txt`, else `call_2.txt` … */
export function textLocations(location: string): Iterable<string> {
  const stem = location.replace(/\.[^./\\]{1,8}$/, '');
  const tail = createHash('sha256').update(location).digest('hex').slice(0, 12);
  return nameVariants(`${stem}.txt`, tail);
}

type Stored = Extract<FileResult, { kind: 'stored' }>;

export interface TextDeps {
  filing: Pick<TranscriptFiling, 'file'>;
  index: Pick<StoredIndex, 'find'>;
  /** Decides what a fault means: another run, or the end. */
  judge: (error: unknown, wantedFormat: string | null) => FileResult;
}

/**
 * Files the text that an event announced beside the files that a run stored or found for it.
 *
 * @param reference of the event, with the links that the API gave, if it was asked
 * @returns the results as they are now. A text that can never be filed adds a failure beside the stored file,
 *   which stays stored; one that can be filed later replaces it. Rejects only as `judge` does
 */
export async function withTexts(
  results: readonly FileResult[],
  reference: RecordingReference,
  { filing, index, judge }: TextDeps,
  signal: AbortSignal
): Promise<FileResult[]> {
  if (!announcesText(reference)) return [...results];
  const now: FileResult[] = [];
  for (const result of results) {
    if (result.kind !== 'stored') {
      now.push(result);
      continue;
    }
    try {
      const file = await filing.file(result.file, reference, signal);
      now.push(file === result.file ? result : await described(result, file, reference, index));
    } catch (error) {
      const fault = judge(error, result.wantedFormat);
      // What was stored in this run is entered into the index even when the text has to wait.
      now.push(...(fault.kind === 'failed' || result.entry !== null ? [result, fault] : [fault]));
    }
  }
  return now;
}

async function described(
  result: Stored,
  file: StoredFile,
  reference: RecordingReference,
  index: Pick<StoredIndex, 'find'>
): Promise<Stored> {
  const { entry, wantedFormat } = result;
  const known: IndexedFile | undefined =
    entry ??
    (await storedCopies(index, reference)).find(
      (copy) => copy.wantedFormat === wantedFormat && copy.recording.sha256 === file.recording.sha256
    );
  if (known === undefined) return { ...result, file };
  const { transcription, transcription_file, transcribed_at, deleted_at_source } = file.recording;
  const text = {
    ...(transcription_file !== undefined && { transcription_file }),
    ...(transcribed_at !== undefined && { transcribed_at })
  };
  const recording = { ...known.recording, transcription, deleted_at_source, ...text };
  return { ...result, file, entry: { ...known, recording } };
}
