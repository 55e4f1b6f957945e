import { randomUUID } from 'node:crypto';
import type { DailyEventType } from '../../events/catalogue';
import { type SampleFacts, type SampleRecipe, sampleId } from '../sample-facts';

type Payload = Record<string, unknown>;

/** Unix seconds. */
function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function timestamp({ now }: SampleFacts): string {
  return String(seconds(now.getTime()));
}

function participant({ recording, now }: SampleFacts): Payload {
  return {
    joined_at: now.getTime() / 1000,
    owner: false,
    permissions: { canAdmin: false, canReceive: { base: true }, canSend: true, hasPresence: true },
    room: recording.roomName,
    session_id: randomUUID(),
    user_id: randomUUID(),
    user_name: 'Sample Guest',
    will_eject_at: null
  };
}

function waiting({ recording, now }: SampleFacts): Payload {
  return {
    joined_at: now.getTime() / 1000,
    room: recording.roomName,
    session_id: randomUUID(),
    user_name: 'Sample Guest'
  };
}

function inRoom(more: Payload): SampleRecipe {
  return (facts) => ({
    domain_id: randomUUID(),
    mtg_session_id: randomUUID(),
    room: facts.recording.roomName,
    session_id: randomUUID(),
    timestamp: timestamp(facts),
    ...more
  });
}

const CALLER = { sip_from: '+12025550111', sip_headers: {} };
const CALLED = { destination: '+12025550140', origin: '+12025550141' };
const TRANSFER = {
  from_endpoint: 'sip:bob@example.org',
  is_sip_refer: true,
  to_endpoint: 'sip:ada@example.com'
};

function streaming(more: Payload = {}): SampleRecipe {
  return (facts) => ({
    domain_id: randomUUID(),
    instance_id: randomUUID(),
    layout: { preset: 'active-participant' },
    room_name: facts.recording.roomName,
    timestamp: seconds(facts.now.getTime()),
    ...more
  });
}

function transcript(status: string, more: (facts: SampleFacts) => Payload = () => ({})): SampleRecipe {
  return (facts) => ({
    domain_id: randomUUID(),
    id: sampleId(),
    mtg_session_id: randomUUID(),
    room_id: randomUUID(),
    room_name: facts.recording.roomName,
    status,
    ...more(facts)
  });
}

function s3(key: string): Payload {
  return { bucket: 'sample', key, region: 'us-west-2' };
}

function job(status: string, more: Payload): SampleRecipe {
  return ({ recording }) => ({
    id: sampleId(),
    input: { recordingId: recording.id, sourceType: 'recordingId' },
    preset: 'summarize',
    status,
    ...more
  });
}

/** All events of Daily. */
export const DAILY_SAMPLES: Record<DailyEventType, SampleRecipe> = {
  'recording.started': ({ recording }) => ({
    action: 'start-cloud-recording',
    instance_id: randomUUID(),
    layout: { preset: 'default' },
    recording_id: recording.id,
    start_ts: seconds(recording.startedAt),
    started_by: randomUUID()
  }),
  'recording.ready-to-download': ({ recording }) => ({
    duration: recording.seconds,
    max_participants: 2,
    recording_id: recording.id,
    room_name: recording.roomName,
    s3_key: `sample/${recording.roomName}/${recording.startedAt}`,
    start_ts: seconds(recording.startedAt),
    status: 'finished',
    tracks: null,
    type: 'cloud'
  }),
  'recording.error': (facts) => ({
    action: 'cloud-recording-err',
    error_msg: 'the sample recording failed',
    instance_id: randomUUID(),
    room_name: facts.recording.roomName,
    timestamp: timestamp(facts)
  }),
  'meeting.started': ({ recording, now }) => ({
    meeting_id: randomUUID(),
    room: recording.roomName,
    start_ts: now.getTime() / 1000
  }),
  'meeting.ended': ({ recording, now }) => ({
    end_ts: now.getTime() / 1000,
    meeting_id: randomUUID(),
    room: recording.roomName,
    start_ts: now.getTime() / 1000 - 42
  }),
  'participant.joined': participant,
  'participant.left': (facts) => ({ ...participant(facts), duration: 42.5, networkQualityState: 'good' }),
  'waiting-participant.joined': waiting,
  'waiting-participant.left': (facts) => ({ ...waiting(facts), duration: 4.5 }),
  'transcript.started': transcript('t_in_progress'),
  'transcript.ready-to-download': transcript('t_finished', ({ recording }) => ({
    duration: recording.seconds,
    out_params: { s3: s3('sample/transcript.vtt') },
    participant_minutes: 1
  })),
  'transcript.error': transcript('t_error', () => ({ error: 'the sample transcript failed' })),
  'streaming.started': streaming(),
  'streaming.updated': streaming({ endpoints: [{ endpoint: 'rtmp://live.example.com/sample' }] }),
  'streaming.ended': streaming(),
  'streaming.error': streaming({ error_message: 'the sample stream failed' }),
  'batch-processor.job-finished': job('finished', {
    output: {
      summary: { format: 'txt', s3Config: s3('sample/summary.txt') },
      transcription: [{ format: 'vtt', s3Config: s3('sample/transcription.vtt') }]
    }
  }),
  'batch-processor.error': job('error', { error: 'the sample job failed' }),
  'dialin.ready': inRoom({ sip_endpoint: 'sip:sample@example.com' }),
  'dialin.connected': inRoom(CALLER),
  'dialin.stopped': inRoom({ ...CALLER, duration: 42 }),
  'dialin.warning': inRoom({ ...CALLER, error_msg: 'the sample caller is hard to hear' }),
  'dialin.error': inRoom({ ...CALLER, error_msg: 'the sample call failed' }),
  'dialout.connected': inRoom(CALLED),
  'dialout.answered': inRoom(CALLED),
  'dialout.stopped': inRoom({ ...CALLED, duration: 42 }),
  'dialout.warning': inRoom({ ...CALLED, error_msg: 'the sample call is hard to hear' }),
  'dialout.error': inRoom({ ...CALLED, error_msg: 'busy' }),
  'calltransfer.triggered': inRoom(TRANSFER),
  'calltransfer.initiated': inRoom(TRANSFER),
  'calltransfer.answered': inRoom(TRANSFER),
  'calltransfer.completed': inRoom(TRANSFER)
};
