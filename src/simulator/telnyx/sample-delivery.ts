import { randomUUID } from 'node:crypto';
import { TELNYX } from '../../events/provider';
import { type SampleBody, sampleAttempts } from '../../samples/sample-body';
import { type SampleFacts, type SampleRecording, sampleFacts } from '../../samples/sample-facts';
import type { MediaFormat } from '../../samples/media/media';
import type { StandInRecording } from './recording-shelf';

/** One made-up event, ready to be signed and sent. */
export interface SampleDelivery extends Pick<SampleBody, 'contentType'> {
  /** The event type as flows will see it in `msg.topic`. */
  name: string;
  /** The recording that the event announces, if it announces one. */
  recording: StandInRecording | null;
  /**
   * The body of one attempt. Repeats keep the event's id, as Telnyx's do.
   *
   * @param attempt counted from 1
   * @param to where it is delivered
   */
  body: (attempt: number, to: string) => Buffer;
}

/** Makes a signed link to a file of the recording; null for a format that it does not have. */
type LinkTo = (format: MediaFormat) => string | null;

/**
 * Makes the delivery of an event, with what the editor sends as a sample of it.
 *
 * @param recording that it announces, and the links to its files
 * @throws Error when the catalogue does not list the event
 */
export function sampleDelivery(
  name: string,
  now: Date,
  recording: { kept: StandInRecording; link: LinkTo } | null
): SampleDelivery {
  const facts: SampleFacts = sampleFacts(randomUUID(), now, '');
  if (recording !== null) {
    facts.call = recording.kept.call;
    facts.recording = announced(recording.kept, recording.link, facts.recording);
  }
  const bodyOf = sampleAttempts(TELNYX, name, facts);
  if (bodyOf === null) throw new Error(`The catalogue does not list ${name}`);
  return {
    name,
    recording: recording?.kept ?? null,
    contentType: bodyOf(facts).contentType,
    body: (attempt, to) => bodyOf({ attempt, to }).rawBody
  };
}

function announced(kept: StandInRecording, link: LinkTo, madeUp: SampleRecording): SampleRecording {
  const { id, startedAt, seconds, channels, conferenceId, formats } = kept;
  return {
    ...madeUp,
    id,
    startedAt,
    seconds,
    channels,
    conferenceId: conferenceId ?? madeUp.conferenceId,
    format: formats[0] ?? 'mp3',
    urls: { mp3: link('mp3'), wav: link('wav') }
  };
}
