import { CodedError } from '../../errors/coded-error';
import type { RecordingReference } from '../../recording/recording-reference';
import { asFields, asProse, asText } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { TelnyxApi } from './api-client';

/**
 * The text of a recording whose event names but does not contain it (Telnyx "Retrieve a recording
 * transcription").
 *
 * @returns null when there is nothing to ask for, or the text is empty
 * @throws CodedError as `TelnyxApi.request`; a retryable `LINK_REFUSED` while the text is being made
 */
export async function fetchTranscription(
  api: TelnyxApi | null,
  { details, transcription_id }: Pick<RecordingReference, 'details' | 'transcription_id'>,
  signal: AbortSignal
): Promise<string | null> {
  if (details.transcription !== null || transcription_id === undefined) return details.transcription;
  if (api?.hasKey !== true) return null;
  const path = ['recording_transcriptions', idSegment(transcription_id)];
  const fields = asFields(asFields(await api.request({ method: 'GET', path, signal }))?.['data']);
  const recording = asText(fields?.['recording_id']);
  if (recording !== null && recording !== details.recording_id)
    throw new CodedError(
      'LINK_REFUSED',
      'The API answered with the text of another recording; it was not taken.'
    );
  if (fields?.['status'] === 'in-progress')
    throw new CodedError('LINK_REFUSED', 'Telnyx has not finished the text yet; the next attempt waits.', {
      retryable: true
    });
  return asProse(fields?.['transcription_text']);
}
