import { CodedError } from '../../errors/coded-error';
import type { RecordingReference } from '../../recording/recording-reference';
import { shownText } from '../../text/shown-text';

const MOST_NAMED = 3;

/** There are links, but none to a file of the wanted format. */
export function notInFormat(reference: RecordingReference, format: string): CodedError {
  const formats = new Set(reference.links.map((link) => link.format ?? 'an unknown format'));
  const offered = [...formats].slice(0, 10).join(', ');
  return new CodedError(
    'NO_RECORDING',
    `The recording is wanted as ${format}, but there is only ${offered}. Choose "what there is, MP3 before WAV" as "Format" of ` +
      `the recording download node, or have the call recorded as ${format}.`
  );
}

/** The recording is named, but its address is unknown. */
export function withoutLink(reference: RecordingReference): CodedError {
  return new CodedError(
    'NO_RECORDING',
    `The message names the recording ${shownText(reference.details.recording_id ?? '')} but has no link to it. Send the event that ` +
      'carries the link (such as call.recording.saved), or set msg.url.'
  );
}

/** All retries are used up. */
export function gaveUp(last: CodedError, attempts: number): CodedError {
  const times = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  return new CodedError('GAVE_UP', `Gave up after ${times}. The last one: ${last.message}`, {
    cause: last,
    trouble: last.trouble
  });
}

/**
 * The process died again and again while nothing but these recordings was worked on.
 *
 * @param deaths how often
 */
export function repeatedCrash(references: readonly RecordingReference[], deaths: number): CodedError {
  const shown = references.slice(0, MOST_NAMED).map(({ identity, details }) => {
    const event = details.event_type === null ? '' : ` of ${details.event_type}`;
    return `${details.recording_id ?? identity}${event}`;
  });
  const more = references.length > shown.length ? ` and ${references.length - shown.length} more` : '';
  return new CodedError(
    'REPEATED_CRASH',
    `Node-RED ended or hung ${deaths} times while nothing but this recording was worked on: ${shown.join(', ')}${more}. ` +
      'It is not tried again. Open it in the portal of the provider, where it still is; update this package, and ' +
      'report what is special about the file. To try once more, send the message again.'
  );
}

/** An unexpected fault. */
export function unexpected(error: unknown): CodedError {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CodedError('GAVE_UP', `Something unexpected happened: ${reason}`, { cause: error });
}
