import { CodedError } from '../errors/coded-error';
import type { RecordingReference } from '../recording/recording-reference';

/** There are links, but none to a file of the wanted format. */
export function notInFormat(reference: RecordingReference, format: string): CodedError {
  const offered = [...new Set(reference.links.map((link) => link.format ?? 'an unknown format'))].join(', ');
  return new CodedError(
    'NO_RECORDING',
    `The recording is wanted as ${format}, but there is only ${offered}. Choose the format "any" in the download node, ` +
      `or have the call recorded as ${format}.`
  );
}

/** The recording is named, but nobody knows its address. */
export function withoutLink(reference: RecordingReference): CodedError {
  return new CodedError(
    'NO_RECORDING',
    `The message names the recording ${reference.details.recording_id ?? ''} but has no link to it. Send the event that ` +
      'carries the link (such as call.recording.saved), or set msg.url.'
  );
}

/** All retries are used up. */
export function gaveUp(last: CodedError, attempts: number): CodedError {
  const times = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  return new CodedError('GAVE_UP', `Gave up after ${times}. The last one: ${last.message}`, { cause: last });
}

/** Nobody thought of this. */
export function unexpected(error: unknown): CodedError {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CodedError('GAVE_UP', `Something unexpected happened: ${reason}`, { cause: error });
}
