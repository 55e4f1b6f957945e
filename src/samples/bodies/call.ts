import type { TypeIn } from '../sample-types';
import {
  type SampleFacts,
  type SampleRecipe,
  ago,
  callIds,
  callParties,
  microseconds
} from '../sample-facts';
import type { TELNYX_CALL_GROUPS } from '../../events/catalogue/telnyx-call';

/** @param more fields beside the ids */
function of(more: Record<string, unknown> = {}): SampleRecipe {
  return (facts) => ({ ...callIds(facts), ...more });
}

function between(more: Record<string, unknown> = {}): SampleRecipe {
  return (facts) => ({ ...callParties(facts), ...more });
}

const enqueued: SampleRecipe = (facts) => ({
  ...callIds(facts),
  current_position: 1,
  queue: 'support',
  queue_avg_wait_time_secs: 12
});

const dequeued = of({ queue: 'support', queue_position: 1, reason: 'bridged', wait_time_secs: 12 });

function streaming(more: Record<string, unknown>): SampleRecipe {
  return of({
    stream_id: 'sample-stream',
    stream_params: { stream_url: 'wss://media.example.com/in' },
    ...more
  });
}

function ended(facts: SampleFacts): Record<string, unknown> {
  const { now } = facts;
  return {
    ...callParties(facts),
    end_time: microseconds(now),
    hangup_cause: 'normal_clearing',
    hangup_source: 'caller',
    sip_hangup_cause: '200',
    start_time: ago(now, 42),
    state: 'hangup'
  };
}

/** Call control, media, payments. */
export const CALL_SAMPLES: Record<TypeIn<typeof TELNYX_CALL_GROUPS>, SampleRecipe> = {
  'call.initiated': (facts) => ({
    ...callParties(facts),
    client_state: null,
    direction: 'incoming',
    start_time: microseconds(facts.now),
    state: 'parked'
  }),
  'call.answered': (facts) => ({ ...callParties(facts), start_time: microseconds(facts.now) }),
  'call.bridged': (facts) => ({ ...callParties(facts), start_time: ago(facts.now, 3) }),
  'call.hangup': ended,
  'call.hold': between({ state: 'hold' }),
  'call.unhold': between({ state: 'bridged' }),
  'call.enqueued': enqueued,
  'call.dequeued': dequeued,
  'call.left.queue': dequeued,
  'call.dtmf.received': between({ digit: '5' }),
  'call.gather.ended': between({ digits: '1234', status: 'valid' }),
  'call.playback.started': of({ media_name: 'sample_greeting', overlay: false }),
  'call.playback.ended': of({
    media_name: 'sample_greeting',
    overlay: false,
    status: 'completed',
    status_detail: 'ended'
  }),
  'call.speak.started': of(),
  'call.speak.ended': of({ status: 'completed' }),
  'call.refer.started': of({ sip_notify_response: 100 }),
  'call.refer.completed': of({ sip_notify_response: 200 }),
  'call.refer.failed': of({ sip_notify_response: 603 }),
  'call.sip_info.received': of({ body: 'Signal=5', content_type: 'application/dtmf-relay' }),
  'call.ringing': between({ state: 'ringing' }),
  'call.machine.detection.ended': between({ result: 'human' }),
  'call.machine.greeting.ended': between({ result: 'beep_detected' }),
  'call.machine.premium.detection.ended': between({ result: 'human_residence' }),
  'call.machine.premium.greeting.ended': between({ result: 'beep_detected' }),
  'call.transcription': of({
    transcription_data: { confidence: 0.93, is_final: true, transcript: 'This is a sample sentence.' }
  }),
  'streaming.started': streaming({}),
  'streaming.stopped': streaming({}),
  'streaming.failed': streaming({ failure_reason: 'connection_failed' }),
  'call.fork.started': of({ stream_type: 'decrypted' }),
  'call.fork.stopped': of({ stream_type: 'decrypted' }),
  'siprec.started': of({ name: 'sample-recorder' }),
  'siprec.stopped': of({ hangup_cause: 'NORMAL_CLEARING', name: 'sample-recorder' }),
  'siprec.failed': of({ failure_cause: 'connector_unreachable', name: 'sample-recorder' }),
  'call.payment.progress': between({ attempt: 1, step: 'payment-card-number' }),
  'call.payment.completed': between({
    confirmation_code: 'ch_made_up',
    payment_card_type: 'visa',
    payment_method: 'credit-card',
    result: 'success'
  }),
  'call.cost': of({
    billed_duration_secs: 60,
    cost_parts: [{ billed_duration_secs: 60, call_part: 'sip-trunking', cost: '0.0020', currency: 'USD' }],
    status: 'success',
    total_cost: '0.0020'
  }),
  'call.deepfake_detection.result': of({ result: 'real', score: 0.08 }),
  'call.deepfake_detection.error': of({ reason: 'not_enough_speech' })
};
