import { randomUUID } from 'node:crypto';
import { envelope, microseconds, type SampleFacts, type SampleKind } from './sample-delivery';

const CLIENT_STATE = Buffer.from('sample delivery').toString('base64');

/** Call control, conference and messaging: JSON envelopes of API v2. */
export const CALL_EVENTS: readonly SampleKind[] = [
  {
    name: 'call.initiated',
    description: 'a call comes in',
    make: ({ call, now }) =>
      envelope('call.initiated', now, {
        ...call,
        client_state: null,
        direction: 'incoming',
        start_time: microseconds(now),
        state: 'parked'
      })
  },
  {
    name: 'call.answered',
    description: 'a call is answered',
    make: ({ call, now }) =>
      envelope('call.answered', now, { ...call, client_state: CLIENT_STATE, start_time: microseconds(now) })
  },
  {
    name: 'call.hangup',
    description: 'a call ends',
    make: ({ call, now }) =>
      envelope('call.hangup', now, {
        ...call,
        client_state: CLIENT_STATE,
        end_time: microseconds(now),
        hangup_cause: 'normal_clearing',
        hangup_source: 'caller',
        sip_hangup_cause: '200',
        start_time: microseconds(new Date(now.getTime() - 42_000)),
        state: 'hangup'
      })
  },
  {
    name: 'call.playback.ended',
    description: 'an announcement was played to its end',
    make: ({ call, now }) =>
      envelope('call.playback.ended', now, {
        call_control_id: call.call_control_id,
        call_leg_id: call.call_leg_id,
        call_session_id: call.call_session_id,
        client_state: CLIENT_STATE,
        connection_id: call.connection_id,
        media_name: 'sample_greeting',
        overlay: false,
        status: 'completed'
      })
  },
  {
    name: 'call.recording.saved',
    description: 'a call recording (WAV, two channels) can be fetched',
    recording: { source: 'call', formats: ['wav'], channels: 'dual' },
    make: (facts) => {
      const { call, now } = facts;
      return envelope('call.recording.saved', now, {
        ...recordingFields(facts),
        call_leg_id: call.call_leg_id,
        from: call.from,
        to: call.to
      });
    }
  },
  {
    name: 'conference.recording.saved',
    description: 'a conference recording (MP3) can be fetched',
    recording: { source: 'conference', formats: ['mp3'], channels: 'single' },
    make: (facts) =>
      envelope('conference.recording.saved', facts.now, {
        ...recordingFields(facts),
        conference_id: facts.recording?.conferenceId
      })
  },
  {
    name: 'message.received',
    description: 'a text message comes in',
    make: ({ call, now }) =>
      envelope('message.received', now, {
        cc: [],
        direction: 'inbound',
        encoding: 'GSM-7',
        errors: [],
        from: { carrier: 'Example Wireless', line_type: 'Wireless', phone_number: call.from },
        id: randomUUID(),
        media: [],
        messaging_profile_id: randomUUID(),
        parts: 1,
        received_at: now.toISOString(),
        record_type: 'message',
        text: 'A sample message.',
        to: [{ carrier: 'Telnyx', line_type: 'VoIP', phone_number: call.to, status: 'webhook_delivered' }],
        type: 'SMS'
      })
  }
];

function recordingFields({ call, recording, link }: SampleFacts): Record<string, unknown> {
  if (!recording) throw new Error('A recording event needs a recording');
  return {
    call_control_id: call.call_control_id,
    call_session_id: call.call_session_id,
    channels: recording.channels,
    client_state: CLIENT_STATE,
    connection_id: call.connection_id,
    format: recording.formats[0],
    public_recording_urls: {},
    recording_ended_at: microseconds(new Date(recording.startedAt + recording.seconds * 1000)),
    recording_id: recording.id,
    recording_started_at: microseconds(new Date(recording.startedAt)),
    recording_urls: { mp3: link('mp3'), wav: link('wav') }
  };
}
