import type { RecordingReference } from '../../recording/recording-reference';
import type { StoredRecording } from '../../store/stored-recording';

type Filed = Pick<StoredRecording, 'transcription' | 'transcribed_at'>;
type Text = Pick<RecordingReference, 'details' | 'announced_at'>;

/**
 * Whether a text is filed beside a stored recording, or a later one of the same recording is. Entries of earlier
 * versions do not say when their text was made: there, only the same text counts.
 */
export function isTextFiled(stored: Filed, text: Text): boolean {
  const { transcription } = text.details;
  if (stored.transcription === null) return false;
  if (transcription === null && stored.transcribed_at === undefined) return true;
  return stored.transcription === transcription || ageGap(stored, text) >= 0;
}

/** Whether the filed text of a recording is later than this one. */
export function isSuperseded(stored: Partial<Filed>, text: Text): boolean {
  return ageGap(stored, text) > 0;
}

/** Milliseconds by which the filed text is later; NaN when unknown. */
function ageGap({ transcribed_at }: Partial<Filed>, { announced_at }: Text): number {
  return Date.parse(transcribed_at ?? '') - Date.parse(announced_at ?? '');
}
