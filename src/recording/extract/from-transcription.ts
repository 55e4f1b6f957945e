import { asProse, asText } from '../../values/fields';
import { type RecordingReference, identityOfId } from '../recording-reference';
import { type Announcement, callIdentifiers, unknownDetails } from './announcement';

/**
 * call.recording.transcription.saved (Telnyx page of that name): the text of a recording, and the
 * recording by its id only; the API knows its address.
 */
export function fromTranscription(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  const id = asText(payload['recording_id']);
  const text = asProse(payload['transcription_text']);
  const textId = asText(payload['recording_transcription_id']);
  if (id === null || (text === null && textId === null)) return [];
  return [
    {
      kind: 'audio',
      identity: identityOfId(announcement.provider, id),
      details: {
        ...unknownDetails(announcement),
        ...callIdentifiers(payload),
        recording_id: id,
        transcription: text
      },
      links: [],
      media_index: null,
      announced_at: announcement.announced_at,
      storage_key: null,
      resource: 'recording',
      ...(textId === null ? {} : { transcription_id: textId })
    }
  ];
}
