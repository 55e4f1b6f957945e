import { randomUUID } from 'node:crypto';
import { type DailyRecording, storageKey } from './daily-shelf';

/** What the body of a sample event of Daily is made from. */
export interface DailyFacts {
  /** Unix milliseconds. */
  now: number;
  /** The recording that the event announces; for other events a made-up one. */
  recording: DailyRecording;
}

/** A recipe for sample deliveries of one event type of Daily. */
export interface DailyKind {
  name: string;
  /** A short sentence for `--list`. */
  description: string;
  /** Whether the event announces a recording that can be fetched. */
  announces?: true;
  payload: (facts: DailyFacts) => Record<string, unknown>;
}

/** Every Daily event that the simulator can send as a sample. */
export const DAILY_KINDS: readonly DailyKind[] = [
  {
    name: 'recording.ready-to-download',
    description: 'Daily: a recording (MP4) can be fetched',
    announces: true,
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

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
