import type { RecordingReference } from '../../recording/recording-reference';
import type { FileResult } from '../queue/run-result';
import type { IndexedFile, StoredIndex } from '../index/stored-index';
import type { StoredFile } from '../../store/stored-recording';
import { announcesText, storedCopies, type TranscriptFiling } from './transcript-filing';

type Stored = Extract<FileResult, { kind: 'stored' }>;

/**
 * Files the text that an event announced beside the files that a run stored or found for it.
 *
 * @param reference of the event, with the links that the API gave, if it was asked
 * @param judge decides what a fault means: another run, or the end
 * @returns the results as they are now. A text that cannot be filed for good fails beside the stored file,
 *   which stays stored; one that can be filed later takes its place. Rejects only as `judge` does
 */
export async function withTexts(
  results: readonly FileResult[],
  reference: RecordingReference,
  filing: Pick<TranscriptFiling, 'file'>,
  index: Pick<StoredIndex, 'find'>,
  judge: (error: unknown, wantedFormat: string | null) => FileResult,
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
      now.push(file === result.file ? result : described(result, file, reference, index));
    } catch (error) {
      const fault = judge(error, result.wantedFormat);
      // What was stored in this run is entered into the index even when the text has to wait.
      now.push(...(fault.kind === 'failed' || result.entry !== null ? [result, fault] : [fault]));
    }
  }
  return now;
}

function described(
  result: Stored,
  file: StoredFile,
  reference: RecordingReference,
  index: Pick<StoredIndex, 'find'>
): Stored {
  const { entry, wantedFormat } = result;
  const known: IndexedFile | undefined =
    entry ??
    storedCopies(index, reference).find(
      (copy) => copy.wantedFormat === wantedFormat && copy.recording.sha256 === file.recording.sha256
    );
  if (known === undefined) return { ...result, file };
  const { transcription, transcription_file, deleted_at_source } = file.recording;
  const text = transcription_file === undefined ? {} : { transcription_file };
  const recording = { ...known.recording, transcription, deleted_at_source, ...text };
  return { ...result, file, entry: { ...known, recording } };
}
