import { type Fields, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import type { ListedTranscripts } from '../origin';
import { fromTranscription } from './from-transcription';

/** Telnyx documents `in-progress` and `completed`; the others are what such a service may say. */
const NOT_READY = new Set(['in-progress', 'pending', 'queued', 'processing']);
const WITHOUT_TEXT = new Set(['failed', 'error', 'canceled', 'cancelled', 'deleted']);

/** The items of Telnyx's `GET /v2/recording_transcriptions`. */
export const transcriptsListedByTelnyx: ListedTranscripts = {
  idOf: ({ id, recording_id }) => (asText(recording_id) === null ? null : asText(id)),

  // The same as the event of the same text, which has other names for two fields.
  fromListed: (item) =>
    fromTranscription({
      provider: 'telnyx',
      event_type: null,
      event_id: null,
      announced_at: readTime(item['created_at']),
      payload: { ...item, recording_transcription_id: item['id'] }
    }),

  stateOf: (item) => {
    const status = asText(item['status'])?.toLowerCase().replaceAll('_', '-') ?? '';
    if (NOT_READY.has(status)) return 'not-ready';
    // Text is taken, whatever an unknown status means. Without the field the API is asked for the text alone.
    return WITHOUT_TEXT.has(status) || isSilent(item) ? 'without-file' : 'ready';
  }
};

/** A recording in which nobody spoke has an empty text. */
function isSilent({ transcription_text: text }: Fields): boolean {
  return typeof text === 'string' && asText(text) === null;
}
