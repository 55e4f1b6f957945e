import { sampleAttempts } from '../../samples/sample-body';
import { sampleFacts, sampleId } from '../../samples/sample-facts';
import type { DailyEventType } from '../../events/catalogue';
import { DAILY } from '../../events/provider';
import { type DailyRecording, storageKey } from './daily-shelf';
import type { DailyText } from './daily-texts-api';

/** What the body of a sample event of Daily is made from. */
export interface DailyFacts {
  /** Unix milliseconds. */
  now: number;
  /** The recording that the event announces; for other events a made-up one. */
  recording: DailyRecording;
  /** The transcript or job that the event announces. */
  text?: DailyText;
}

/** An event of Daily that the simulator can send as a sample. */
export interface DailyKind {
  name: DailyEventType;
  /** A short sentence for `--list`. */
  description: string;
  /** What the event announces that can be fetched. */
  announces?: 'recording' | 'transcript' | 'job';
}

/** Every Daily event that the simulator can send as a sample; `samples/bodies/` says what it contains. */
export const DAILY_KINDS: readonly DailyKind[] = [
  {
    name: 'recording.ready-to-download',
    description: 'Daily: a recording (MP4) can be fetched',
    announces: 'recording'
  },
  { name: 'recording.started', description: 'Daily: a recording begins' },
  { name: 'recording.error', description: 'Daily: a recording failed' },
  {
    name: 'transcript.ready-to-download',
    description: 'Daily: a transcript (WebVTT) can be fetched',
    announces: 'transcript'
  },
  {
    name: 'batch-processor.job-finished',
    description: 'Daily: transcript and summary of a batch job can be fetched',
    announces: 'job'
  },
  { name: 'meeting.started', description: 'Daily: a meeting begins' },
  { name: 'participant.joined', description: 'Daily: somebody joins a meeting' }
];

/** The events that `npm start` shows. */
export const DAILY_SEED_EVENTS = ['recording.started', 'recording.ready-to-download'] as const;

/**
 * The body of a delivery.
 *
 * @throws Error when the catalogue does not list the event
 */
export function dailyBody({ name, announces }: DailyKind, about: DailyFacts): Buffer {
  const { now, recording } = about;
  const facts = sampleFacts(sampleId(), new Date(now), '');
  const { id, roomName, seconds, startedAt } = recording;
  facts.recording = { ...facts.recording, id, roomName, seconds, startedAt };
  const bodyOf = sampleAttempts(DAILY, name, facts, kept(announces, about));
  if (bodyOf === null) throw new Error(`The catalogue does not list ${name}`);
  return bodyOf(facts).rawBody;
}

/** What an event says of that which the stand-in keeps. */
function kept(announces: DailyKind['announces'], { recording, text }: DailyFacts): Record<string, unknown> {
  switch (announces) {
    case 'recording':
      return {
        max_participants: recording.maxParticipants,
        s3_key: storageKey(recording),
        type: recording.type
      };
    case 'transcript':
      return {
        duration: text?.seconds,
        id: text?.id,
        mtg_session_id: text?.sessionId,
        out_params: { s3: s3(`${storageKey(recording)}.vtt`) },
        room_name: text?.roomName
      };
    case 'job':
      return {
        id: text?.id,
        input: { sourceType: 'uri', uri: 'https://example.com/a.mp4' },
        output: {
          summary: output(text?.id, 'txt'),
          transcription: ['txt', 'srt', 'vtt', 'json'].map((format) => output(text?.id, format))
        }
      };
    case undefined:
      return {};
  }
}

function output(job: string | undefined, format: string): object {
  return { format, s3Config: s3(`made-up/${job}/${format}`) };
}

function s3(key: string): object {
  return { bucket: 'made-up', key, region: 'us-west-2' };
}
