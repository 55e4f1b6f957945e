import type { LEGACY_V1 } from '../../events/catalogue/telnyx-legacy';
import { type SampleRecipe, sampleId } from '../sample-facts';
import { CALL_SAMPLES } from './call';
import { savedRecording } from './recording';

type LegacyType = (typeof LEGACY_V1)['types'][number]['event_type'];

/** API v1: the payloads of v2 under older names. */
export const LEGACY_SAMPLES: Record<LegacyType, SampleRecipe> = {
  call_initiated: CALL_SAMPLES['call.initiated'],
  call_answered: CALL_SAMPLES['call.answered'],
  call_bridged: CALL_SAMPLES['call.bridged'],
  call_hangup: CALL_SAMPLES['call.hangup'],
  dtmf: CALL_SAMPLES['call.dtmf.received'],
  gather_ended: CALL_SAMPLES['call.gather.ended'],
  speak_started: CALL_SAMPLES['call.speak.started'],
  speak_ended: CALL_SAMPLES['call.speak.ended'],
  playback_started: CALL_SAMPLES['call.playback.started'],
  playback_ended: CALL_SAMPLES['call.playback.ended'],
  fork_started: CALL_SAMPLES['call.fork.started'],
  fork_stopped: CALL_SAMPLES['call.fork.stopped'],
  recording_saved: savedRecording,
  'legacy.message': ({ call, now }) => ({
    body: { parts: 1, text: 'A sample message.' },
    created: now.getTime(),
    direction: 'inbound',
    errors: [],
    from: call.from,
    sms_id: sampleId(),
    status: 'received',
    to: call.to
  })
};
