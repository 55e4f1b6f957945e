import type { TelnyxEventType } from '../../events/catalogue';
import type { StandInRecording } from './recording-shelf';

/** A Telnyx event that the simulator can send as a sample. */
export interface SampleKind {
  name: TelnyxEventType;
  /** A short sentence for `--list`. */
  description: string;
  /** Set for events that announce a recording: what that recording is like. */
  recording?: Partial<StandInRecording>;
}

/** Every Telnyx event that the simulator can send as a sample; `samples/bodies/` says what it contains. */
export const SAMPLE_KINDS: readonly SampleKind[] = [
  { name: 'call.initiated', description: 'a call comes in' },
  { name: 'call.answered', description: 'a call is answered' },
  { name: 'call.hangup', description: 'a call ends' },
  { name: 'call.playback.ended', description: 'an announcement was played to its end' },
  {
    name: 'call.recording.saved',
    description: 'a call recording (WAV, two channels) can be fetched',
    recording: { source: 'call', formats: ['wav'], channels: 'dual' }
  },
  {
    name: 'conference.recording.saved',
    description: 'a conference recording (MP3) can be fetched',
    recording: { source: 'conference', formats: ['mp3'], channels: 'single' }
  },
  { name: 'message.received', description: 'a text message comes in' },
  { name: 'texml.siprec.started', description: 'TeXML: a SIPREC session starts' },
  { name: 'texml.transcription', description: 'TeXML: a sentence of a live transcription' },
  {
    name: 'texml.recording.completed',
    description: 'TeXML: a call recording (MP3) can be fetched',
    recording: { source: 'call', formats: ['mp3'], channels: 'dual' }
  },
  { name: 'texml.call.completed', description: 'TeXML: a call ended' }
];

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
