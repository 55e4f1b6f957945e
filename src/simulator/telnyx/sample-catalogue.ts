import { CALL_EVENTS } from './sample-call-events';
import type { SampleKind } from './sample-delivery';
import { TEXML_EVENTS } from './sample-texml-events';

/** Every Telnyx event that the simulator can send as a sample. */
export const SAMPLE_KINDS: readonly SampleKind[] = [...CALL_EVENTS, ...TEXML_EVENTS];

/** The events that `npm start` shows. */
export const SEED_EVENTS = [
  'conference.recording.saved',
  'call.playback.ended',
  'texml.siprec.started',
  'texml.transcription',
  'call.recording.saved'
] as const;

/**
 * @param name an event type as flows see it
 * @param kinds to choose from
 * @throws Error that lists the known ones
 */
export function sampleKind(name: string): SampleKind;
export function sampleKind<Kind extends { name: string }>(name: string, kinds: readonly Kind[]): Kind;
export function sampleKind(
  name: string,
  kinds: readonly { name: string }[] = SAMPLE_KINDS
): { name: string } {
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind) return kind;
  const known = kinds.map((candidate) => candidate.name).join(', ');
  throw new Error(`There is no sample of "${name}". There are samples of: ${known}`);
}
