import { randomUUID } from 'node:crypto';
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

/** A recipe for sample deliveries of one event type of Daily. */
export interface DailyKind {
  name: string;
  /** A short sentence for `--list`. */
  description: string;
  /** What the event announces that can be fetched. */
  announces?: 'recording' | 'transcript' | 'job';
  payload: (facts: DailyFacts) => Record<string, unknown>;
}

/** Every Daily event that the simulator can send as a sample. */
export const DAILY_KINDS: readonly DailyKind[] = [
  {
    name: 'recording.ready-to-download',
    description: 'Daily: a recording (MP4) can be fetched',
    announces: 'recording',
    payload: ({ recording }) => ({
      type: recording.type,
      recording_id: recording.id,
      room_name: recording.roomName,
      start_ts: seconds(recording.startedAt),
      status: 'finished',
      max_participants: recording.maxParticipants,
      duration: recording.seconds,
      s3_key: storageKey(recording),
      tracks: null
    })
  },
  {
    name: 'recording.started',
    description: 'Daily: a recording begins',
    payload: ({ recording }) => ({
      recording_id: recording.id,
      action: 'start-cloud-recording',
      layout: { preset: 'default' },
      started_by: randomUUID(),
      instance_id: randomUUID(),
      start_ts: seconds(recording.startedAt)
    })
  },
  {
    name: 'recording.error',
    description: 'Daily: a recording failed',
    payload: ({ recording, now }) => ({
      action: 'cloud-recording-err',
      error_msg: 'the made-up recording failed',
      instance_id: randomUUID(),
      room_name: recording.roomName,
      timestamp: String(seconds(now))
    })
  },
  {
    name: 'transcript.ready-to-download',
    description: 'Daily: a transcript (WebVTT) can be fetched',
    announces: 'transcript',
    payload: ({ recording, text }) => ({
      id: text?.id,
      out_params: { s3: { key: `${storageKey(recording)}.vtt`, bucket: 'made-up', region: 'us-west-2' } },
      room_id: randomUUID(),
      room_name: text?.roomName,
      mtg_session_id: text?.sessionId,
      duration: text?.seconds,
      participant_minutes: 2,
      status: 't_finished',
      domain_id: randomUUID()
    })
  },
  {
    name: 'batch-processor.job-finished',
    description: 'Daily: transcript and summary of a batch job can be fetched',
    announces: 'job',
    payload: ({ text }) => ({
      id: text?.id,
      preset: 'summarize',
      status: 'finished',
      input: { sourceType: 'uri', uri: 'https://example.com/a.mp4' },
      output: {
        transcription: ['txt', 'srt', 'vtt', 'json'].map((format) => output(text?.id, format)),
        summary: output(text?.id, 'txt')
      }
    })
  },
  {
    name: 'meeting.started',
    description: 'Daily: a meeting begins',
    payload: ({ recording, now }) => ({
      start_ts: now / 1000,
      meeting_id: randomUUID(),
      room: recording.roomName
    })
  },
  {
    name: 'participant.joined',
    description: 'Daily: somebody joins a meeting',
    payload: ({ recording, now }) => ({
      joined_at: now / 1000,
      session_id: randomUUID(),
      room: recording.roomName,
      user_id: randomUUID(),
      user_name: 'Sample Guest',
      owner: false,
      will_eject_at: null,
      permissions: { hasPresence: true, canSend: true, canReceive: { base: true }, canAdmin: false }
    })
  }
];

/** The events that `npm start` shows. */
export const DAILY_SEED_EVENTS = ['recording.started', 'recording.ready-to-download'] as const;

/** The body of a delivery; `event_ts` is when the event happened. */
export function dailyBody(kind: DailyKind, facts: DailyFacts): Buffer {
  return Buffer.from(
    JSON.stringify({
      version: '1.0.0',
      type: kind.name,
      id: `sample-${randomUUID()}`,
      payload: kind.payload(facts),
      event_ts: facts.now / 1000
    })
  );
}

function output(job: string | undefined, format: string): object {
  return { format, s3Config: { key: `made-up/${job}/${format}`, bucket: 'made-up', region: 'us-west-2' } };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
