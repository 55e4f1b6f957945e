import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { DeliveryKey } from '../deliver';
import type { Media } from '../../samples/media/media';
import { mp4Media } from '../media/media-mp4';
import type { SampleDelivery } from './sample-delivery';

/** What somebody said in a meeting, with Telnyx's names. */
export interface MeetingSegment {
  seq: number;
  text: string;
  speaker_label: string | null;
  /** Seconds from the beginning. */
  relative_ts: number;
  confidence: number;
  occurred_at: string;
}

/** A meeting session that the stand-in keeps. */
export interface StandInMeeting {
  id: string;
  /** Signs its deliveries. */
  secret: string;
  meetingUrl: string;
  botName: string;
  /** Unix milliseconds. */
  joinedAt: number;
  seconds: number;
  metadata: Record<string, unknown>;
  /** Of the recordings that are listed, and that `recording.available` announces. */
  types: string[];
  segments: MeetingSegment[];
  summary: { id: string; text: string };
}

/**
 * @param overrides its fixed properties; the rest is made up
 * @param now unix milliseconds
 */
export function newMeeting(overrides: Partial<StandInMeeting>, now: number): StandInMeeting {
  const seconds = overrides.seconds ?? 6;
  const joinedAt = overrides.joinedAt ?? now - seconds * 1000;
  const said = ['Good morning.', 'Good morning. Shall we begin?', 'That was all. Thank you.'];
  return {
    id: `mtgsess_${randomUUID()}`,
    secret: `whsec_${randomBytes(24).toString('base64url')}`,
    meetingUrl: 'https://meet.example.com/abc-defg-hij?pwd=made-up',
    botName: 'Note taker',
    metadata: { case: 'sample' },
    types: ['video_mixed'],
    segments: said.map((text, index) => ({
      seq: index + 1,
      text,
      speaker_label: index % 2 === 0 ? 'Ann' : 'Ben',
      relative_ts: index * 2,
      confidence: 0.97,
      occurred_at: new Date(joinedAt + index * 2000).toISOString()
    })),
    summary: { id: `mtgart_${randomUUID()}`, text: 'Two people greeted each other and ended the meeting.' },
    ...overrides,
    joinedAt,
    seconds
  };
}

/** The bytes of a recording; always the same for the same session and type. */
export function meetingMedia({ id, seconds }: StandInMeeting, type: string): Media {
  return mp4Media({ title: `${id} ${type}`, seconds, channels: 2 });
}

/** Signs like Telnyx's meetings (docs: "Meeting webhooks"). */
export function meetingKey({ secret }: StandInMeeting): DeliveryKey {
  return {
    sign: (body, timestamp) => {
      const digest = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
      return { 'x-meeting-bot-signature': `t=${timestamp},v1=${digest}` };
    }
  };
}

/** The events of a session, by their types as flows see them. */
export const MEETING_EVENTS = [
  'meeting.recording.available',
  'meeting.transcript.completed',
  'meeting.artifact.completed'
] as const;

export type MeetingEvent = (typeof MEETING_EVENTS)[number];

/** A delivery about a session. @param now unix milliseconds */
export function meetingDelivery(
  meeting: StandInMeeting,
  event: MeetingEvent,
  now: number
): Omit<SampleDelivery, 'recording'> {
  const body = Buffer.from(
    JSON.stringify({
      id: `whdel_${randomUUID()}`,
      event: event.slice('meeting.'.length),
      version: '1',
      occurred_at: new Date(now).toISOString(),
      data: { session_id: meeting.id, ...dataOf(meeting, event) }
    })
  );
  return { name: event, contentType: 'application/json', body: () => body };
}

function dataOf(meeting: StandInMeeting, event: MeetingEvent): object {
  const { types, segments, summary, joinedAt, seconds } = meeting;
  switch (event) {
    case 'meeting.recording.available':
      return { recording_types: types };
    case 'meeting.transcript.completed':
      return {
        segment_count: segments.length,
        last_seq: segments.at(-1)?.seq ?? 0,
        ended_at: new Date(joinedAt + seconds * 1000).toISOString()
      };
    case 'meeting.artifact.completed':
      return {
        artifact_id: summary.id,
        type: 'summary',
        prompt: null,
        content: { text: summary.text },
        model_provenance: { model: 'made-up', provider: 'stand-in' }
      };
  }
}
