/** Checked only by the compiler: every described payload belongs to a type of the catalogue. */
import type { DescribedEventType, DocumentedPayloads, EventOf } from '../../src/events/payloads';

type None<T extends never> = T;
export type PayloadsOfNoListedType = None<Exclude<keyof DocumentedPayloads, DescribedEventType>>;

/** A field is as its sender documents it, or missing. */
export function recordingLink(event: EventOf<'call.recording.saved'>): string | null | undefined {
  return event.payload.recording_urls?.mp3;
}
