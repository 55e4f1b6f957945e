import { randomUUID } from 'node:crypto';
import type { TELNYX_RECORDING_GROUPS } from '../../events/catalogue/telnyx-recording';
import {
  CLIENT_STATE,
  SAMPLE_SCHEME,
  type SampleFacts,
  type SampleRecipe,
  ago,
  callIds,
  microseconds,
  sampleId
} from '../sample-facts';
import type { TypeIn } from '../sample-types';

function recordingFields({ call, recording }: SampleFacts): Record<string, unknown> {
  const { startedAt, seconds, urls } = recording;
  return {
    call_control_id: call.call_control_id,
    call_session_id: call.call_session_id,
    channels: recording.channels,
    client_state: CLIENT_STATE,
    connection_id: call.connection_id,
    format: recording.format,
    public_recording_urls: {},
    recording_ended_at: microseconds(new Date(startedAt + seconds * 1000)),
    recording_id: recording.id,
    recording_started_at: microseconds(new Date(startedAt)),
    recording_urls: { mp3: urls.mp3, wav: urls.wav }
  };
}

/** API v1 sends the same. */
export const savedRecording: SampleRecipe = (facts) => ({
  ...recordingFields(facts),
  call_leg_id: facts.call.call_leg_id,
  from: facts.call.from,
  to: facts.call.to
});

function conference({ now, recording }: SampleFacts): Record<string, unknown> {
  return {
    client_state: CLIENT_STATE,
    conference_id: recording.conferenceId,
    occurred_at: microseconds(now)
  };
}

/** @param more fields of the participant that the event is about */
function inConference(more: Record<string, unknown> = {}): SampleRecipe {
  return (facts) => ({
    ...callIds(facts),
    ...conference(facts),
    creator_call_session_id: randomUUID(),
    ...more
  });
}

function ofConference(more: Record<string, unknown> = {}): SampleRecipe {
  return (facts) => ({
    ...conference(facts),
    connection_id: facts.call.connection_id,
    creator_call_session_id: randomUUID(),
    ...more
  });
}

const MEDIA = { media_name: 'sample_greeting' };

function meeting(more: Record<string, unknown> = {}): SampleRecipe {
  return ({ recording }) => ({ session_id: recording.conferenceId, ...more });
}

function artifact(more: Record<string, unknown>): SampleRecipe {
  return meeting({ artifact_id: sampleId(), type: 'summary', ...more });
}

function room(more: (facts: SampleFacts) => Record<string, unknown> = () => ({})): SampleRecipe {
  return (facts) => ({ room_id: facts.recording.roomName, session_id: randomUUID(), ...more(facts) });
}

function roomFile(idName: string): SampleRecipe {
  return room(({ now, recording }) => ({
    [idName]: recording.id,
    download_url: recording.urls.wav ?? `${SAMPLE_SCHEME}tone.wav`,
    duration_secs: recording.seconds,
    ended_at: microseconds(now),
    format: 'mp4',
    started_at: ago(now, recording.seconds)
  }));
}

/** Recordings, conferences, meetings, video rooms. */
export const RECORDING_SAMPLES: Record<TypeIn<typeof TELNYX_RECORDING_GROUPS>, SampleRecipe> = {
  'call.recording.saved': savedRecording,
  'conference.recording.saved': (facts) => ({
    ...recordingFields(facts),
    conference_id: facts.recording.conferenceId
  }),
  'call.recording.transcription.saved': (facts) => ({
    ...callIds(facts),
    recording_id: facts.recording.id,
    recording_transcription_id: sampleId(),
    status: 'completed',
    transcription_text: 'This is the text of a sample recording.'
  }),
  'call.recording.error': (facts) => ({ ...callIds(facts), reason: 'Unsupported backend' }),
  'conference.created': ofConference({ name: 'sample conference' }),
  'conference.ended': ofConference({ reason: 'all_left' }),
  'conference.floor.changed': inConference(),
  'conference.participant.joined': inConference(),
  'conference.participant.left': inConference(),
  'conference.participant.playback.started': inConference(MEDIA),
  'conference.participant.playback.ended': inConference({ ...MEDIA, status: 'completed' }),
  'conference.participant.speak.started': inConference(),
  'conference.participant.speak.ended': inConference({ status: 'completed' }),
  'conference.playback.started': ofConference(MEDIA),
  'conference.playback.ended': ofConference({ ...MEDIA, status: 'completed' }),
  'conference.speak.started': ofConference(),
  'conference.speak.ended': ofConference({ status: 'completed' }),
  'meeting.session.status_changed': meeting({ status: 'ended', status_detail: null }),
  'meeting.recording.available': meeting({ recording_types: ['audio_mixed'] }),
  'meeting.transcript.completed': meeting({ last_seq: 1, segment_count: 1 }),
  'meeting.artifact.completed': artifact({ content: { text: 'This is the summary of a sample meeting.' } }),
  'meeting.artifact.failed': meeting({ error: 'not_enough_speech', type: 'summary' }),
  'video.room.session.started': room(),
  'video.room.session.ended': room(({ now }) => ({ duration_secs: 42, ended_at: microseconds(now) })),
  'video.room.participant.joined': room(() => ({ context: 'Sample Guest', participant_id: randomUUID() })),
  'video.room.participant.left': room(() => ({
    context: 'Sample Guest',
    duration_secs: 42,
    left_reason: 'hangup',
    participant_id: randomUUID()
  })),
  'video.room.recording.started': room(({ recording }) => ({
    participant_id: randomUUID(),
    recording_id: recording.id,
    type: 'audio'
  })),
  'video.room.recording.completed': roomFile('recording_id'),
  'video.room.composition.completed': roomFile('composition_id')
};
