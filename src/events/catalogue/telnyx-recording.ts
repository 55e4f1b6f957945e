import type { FamilyGroup, MediaCarried } from './catalogue-entry';
import { V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

const RECORDING_URLS = [
  'recording_urls.mp3',
  'recording_urls.wav',
  'public_recording_urls.mp3',
  'public_recording_urls.wav'
] as const;

/** Media of a saved call recording; API v1 sends the same fields. */
export const CALL_RECORDING_MEDIA = {
  kind: 'recording',
  urls: RECORDING_URLS,
  ids: ['recording_id', 'call_leg_id', 'call_session_id']
} as const satisfies MediaCarried;

/** Recordings of calls and conferences. */
export const RECORDING = {
  provider,
  family: 'recording',
  label: 'Recordings',
  prefixes: ['call.recording.', 'conference.recording.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'call.recording.saved',
      media: CALL_RECORDING_MEDIA,
      shapes: [...V2_SHAPES, 'payload-fragment'],
      description: 'The recording of a call can be fetched'
    },
    {
      event_type: 'conference.recording.saved',
      media: { kind: 'recording', urls: RECORDING_URLS, ids: ['recording_id', 'conference_id'] },
      shapes: [...V2_SHAPES, 'payload-fragment'],
      description: 'The recording of a conference can be fetched'
    },
    {
      event_type: 'call.recording.transcription.saved',
      media: { kind: 'recording', ids: ['recording_id'] },
      description: 'The text of a recording is ready; the recording itself is found by its id'
    },
    { event_type: 'call.recording.error', description: 'A recording could not be stored; reason says why' }
  ]
} as const satisfies FamilyGroup;

/** Conferences: people, sounds, speech. */
export const CONFERENCE = {
  provider,
  family: 'conference',
  label: 'Conferences',
  prefixes: ['conference.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'conference.created', description: 'A conference began' },
    { event_type: 'conference.ended', description: 'A conference ended' },
    {
      event_type: 'conference.floor.changed',
      shapes: ['bare', ...V2_SHAPES],
      description: 'Another participant speaks now'
    },
    { event_type: 'conference.participant.joined', description: 'Somebody joined the conference' },
    { event_type: 'conference.participant.left', description: 'Somebody left the conference' },
    {
      event_type: 'conference.participant.playback.started',
      description: 'A sound began for one participant'
    },
    { event_type: 'conference.participant.playback.ended', description: 'A sound ended for one participant' },
    { event_type: 'conference.participant.speak.started', description: 'Speech began for one participant' },
    { event_type: 'conference.participant.speak.ended', description: 'Speech ended for one participant' },
    { event_type: 'conference.playback.started', description: 'A sound began for everybody' },
    { event_type: 'conference.playback.ended', description: 'A sound ended for everybody' },
    { event_type: 'conference.speak.started', description: 'Text to speech began for everybody' },
    { event_type: 'conference.speak.ended', description: 'Text to speech ended for everybody' }
  ]
} as const satisfies FamilyGroup;

/** Meetings (signed with their own secret); no event carries an address of media. */
export const MEETING = {
  provider,
  family: 'meeting',
  label: 'Meetings',
  prefixes: ['meeting.'],
  shapes: ['meeting'],
  types: [
    {
      event_type: 'meeting.session.status_changed',
      discriminator: 'event=session.status_changed',
      description: 'A meeting session changed its state'
    },
    {
      event_type: 'meeting.recording.available',
      discriminator: 'event=recording.available',
      media: { kind: 'recording', ids: ['session_id'] },
      description: 'The recording of a meeting can be asked for'
    },
    {
      event_type: 'meeting.transcript.completed',
      discriminator: 'event=transcript.completed',
      media: { kind: 'transcript', ids: ['session_id'] },
      description: 'The transcript of a meeting is ready'
    },
    {
      event_type: 'meeting.artifact.completed',
      discriminator: 'event=artifact.completed',
      media: { kind: 'transcript', ids: ['artifact_id'] },
      description: 'A text about a meeting is ready, such as a summary'
    },
    {
      event_type: 'meeting.artifact.failed',
      discriminator: 'event=artifact.failed',
      description: 'A text about a meeting could not be made'
    }
  ]
} as const satisfies FamilyGroup;

/** Video rooms; no longer in the public specification, still sent. */
export const VIDEO_ROOM = {
  provider,
  family: 'video-room',
  label: 'Video rooms',
  prefixes: ['video.room.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'video.room.session.started', description: 'A session began in a room' },
    { event_type: 'video.room.session.ended', description: 'A session ended in a room' },
    { event_type: 'video.room.participant.joined', description: 'Somebody entered a room' },
    { event_type: 'video.room.participant.left', description: 'Somebody left a room' },
    { event_type: 'video.room.recording.started', description: 'Recording of a participant began' },
    {
      event_type: 'video.room.recording.completed',
      media: { kind: 'recording', urls: ['download_url'], ids: ['recording_id'] },
      description: 'A recording of a room can be fetched'
    },
    {
      event_type: 'video.room.composition.completed',
      media: { kind: 'recording', urls: ['download_url'], ids: ['composition_id'] },
      description: 'The composed video of a room can be fetched'
    }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_RECORDING_GROUPS = [RECORDING, CONFERENCE, MEETING, VIDEO_ROOM] as const;
