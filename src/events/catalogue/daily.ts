import type { FamilyGroup } from './catalogue-entry';

const provider = 'daily';
const shapes = ['daily-envelope'] as const;

export const DAILY_MEETING = {
  provider,
  family: 'meeting',
  label: 'Meetings',
  prefixes: ['meeting.'],
  shapes,
  types: [
    { event_type: 'meeting.started', description: 'A meeting began' },
    { event_type: 'meeting.ended', description: 'A meeting ended; up to 20 seconds late' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_PARTICIPANT = {
  provider,
  family: 'participant',
  label: 'Participants',
  prefixes: ['participant.'],
  shapes,
  types: [
    { event_type: 'participant.joined', description: 'Somebody joined a room' },
    { event_type: 'participant.left', description: 'Somebody left a room' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_WAITING_PARTICIPANT = {
  provider,
  family: 'waiting-participant',
  label: 'Waiting participants',
  prefixes: ['waiting-participant.'],
  shapes,
  types: [
    { event_type: 'waiting-participant.joined', description: 'Somebody waits to be let in' },
    { event_type: 'waiting-participant.left', description: 'Somebody stopped waiting' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_RECORDING = {
  provider,
  family: 'recording',
  label: 'Recordings',
  prefixes: ['recording.'],
  shapes,
  types: [
    { event_type: 'recording.started', description: 'A recording began' },
    {
      event_type: 'recording.ready-to-download',
      media: {
        kind: 'recording',
        urls: ['s3_key', 'tracks[].s3Key', 'tracks[].s3key'],
        ids: ['recording_id']
      },
      description: 'A recording can be fetched'
    },
    { event_type: 'recording.error', description: 'A recording failed' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_TRANSCRIPT = {
  provider,
  family: 'transcript',
  label: 'Transcripts',
  prefixes: ['transcript.'],
  shapes,
  types: [
    { event_type: 'transcript.started', description: 'A transcript began' },
    {
      event_type: 'transcript.ready-to-download',
      media: { kind: 'transcript', urls: ['out_params.s3.key'], ids: ['id'] },
      description: 'A transcript can be fetched'
    },
    { event_type: 'transcript.error', description: 'A transcript failed' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_STREAMING = {
  provider,
  family: 'streaming',
  label: 'Live streaming',
  prefixes: ['streaming.'],
  shapes,
  types: [
    { event_type: 'streaming.started', description: 'A live stream began' },
    { event_type: 'streaming.updated', description: 'A live stream changed' },
    { event_type: 'streaming.ended', description: 'A live stream ended' },
    { event_type: 'streaming.error', description: 'A live stream failed' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_BATCH_PROCESSOR = {
  provider,
  family: 'batch-processor',
  label: 'Batch processor',
  prefixes: ['batch-processor.'],
  shapes,
  types: [
    {
      event_type: 'batch-processor.job-finished',
      media: { kind: 'transcript', urls: ['output.*.s3Config.key'], ids: ['id'] },
      description: 'A job (transcript, summary) is done'
    },
    { event_type: 'batch-processor.error', description: 'A job failed' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_DIALIN = {
  provider,
  family: 'dialin',
  label: 'Dial-in',
  prefixes: ['dialin.'],
  shapes,
  types: [
    { event_type: 'dialin.ready', description: 'A room can take the waiting call' },
    { event_type: 'dialin.connected', description: 'A caller is in the room' },
    { event_type: 'dialin.stopped', description: 'A caller left the room' },
    { event_type: 'dialin.warning', description: 'A problem with a caller' },
    { event_type: 'dialin.error', description: 'A caller could not be connected' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_DIALOUT = {
  provider,
  family: 'dialout',
  label: 'Dial-out',
  prefixes: ['dialout.'],
  shapes,
  types: [
    { event_type: 'dialout.connected', description: 'A call from the room reached the other side' },
    { event_type: 'dialout.answered', description: 'A call from the room was answered' },
    { event_type: 'dialout.stopped', description: 'A call from the room ended' },
    { event_type: 'dialout.warning', description: 'A problem with a call from the room' },
    { event_type: 'dialout.error', description: 'A call from the room failed' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_CALLTRANSFER = {
  provider,
  family: 'calltransfer',
  label: 'Call transfer',
  prefixes: ['calltransfer.'],
  shapes,
  types: [
    { event_type: 'calltransfer.triggered', description: 'A transfer was asked for' },
    { event_type: 'calltransfer.initiated', description: 'A transfer began' },
    { event_type: 'calltransfer.answered', description: 'The new side answered' },
    { event_type: 'calltransfer.completed', description: 'A transfer ended' }
  ]
} as const satisfies FamilyGroup;

export const DAILY_GROUPS = [
  DAILY_RECORDING,
  DAILY_MEETING,
  DAILY_PARTICIPANT,
  DAILY_WAITING_PARTICIPANT,
  DAILY_TRANSCRIPT,
  DAILY_STREAMING,
  DAILY_BATCH_PROCESSOR,
  DAILY_DIALIN,
  DAILY_DIALOUT,
  DAILY_CALLTRANSFER
] as const;
