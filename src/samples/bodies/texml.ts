import { randomBytes, randomUUID } from 'node:crypto';
import type { TELNYX_TEXML_CALL_GROUPS } from '../../events/catalogue/telnyx-texml-call';
import type { TELNYX_TEXML_MEDIA_GROUPS } from '../../events/catalogue/telnyx-texml-media';
import type { SampleFacts } from '../sample-facts';
import type { TypeIn } from '../sample-types';

/** Makes the fields of a callback. */
export type FormRecipe = (facts: SampleFacts) => Record<string, string>;

type Fields = Record<string, string>;

function ids({ call }: SampleFacts): Fields {
  return {
    AccountSid: randomUUID(),
    CallSid: call.call_control_id,
    CallSidLegacy: call.call_control_id,
    ConnectionId: call.connection_id
  };
}

/** The ids of the call, who talks to whom, and more. */
function call(more: Fields = {}): FormRecipe {
  return (facts) => ({ ...ids(facts), From: facts.call.from, To: facts.call.to, ...more });
}

/** TeXML writes times without decimals. */
function seconds(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '');
}

function timed(more: Fields): FormRecipe {
  return (facts) => ({ ...ids(facts), ...more, Timestamp: seconds(facts.now) });
}

function status(CallStatus: string, more: Fields = {}): FormRecipe {
  return (facts) => ({
    ...call(more)(facts),
    CallStatus,
    CallbackSource: 'call-progress-events',
    SequenceNumber: '1',
    Timestamp: seconds(facts.now)
  });
}

/** @throws Error when the recording has no file */
function recorded({ recording }: SampleFacts): Fields {
  const url = recording.urls[recording.format];
  if (url === null) throw new Error('A recording event needs a recording');
  return {
    RecordingDuration: String(Math.round(recording.seconds)),
    RecordingSid: recording.id,
    RecordingUrl: url
  };
}

function recordingStatus(RecordingStatus: string): FormRecipe {
  return (facts) => ({
    ...ids(facts),
    RecordingSid: facts.recording.id,
    RecordingSource: 'RecordVerb',
    RecordingStatus
  });
}

function conference(StatusCallbackEvent: string): FormRecipe {
  return (facts) => ({
    ...timed({ FriendlyName: 'sample conference', SequenceNumber: '1', StatusCallbackEvent })(facts),
    ConferenceSid: facts.recording.conferenceId
  });
}

function siprec(SiprecEvent: string): FormRecipe {
  return ({ call: { call_control_id }, now }) => ({
    AccountSid: randomUUID(),
    CallSid: call_control_id,
    SiprecEvent,
    SiprecSid: randomUUID(),
    Timestamp: seconds(now)
  });
}

function stream(StreamEvent: string, more: Fields = {}): FormRecipe {
  return timed({ StreamEvent, StreamSid: 'sample-stream', ...more });
}

/** These callbacks look like voice requests; a form names its type only where a flow adds it to the URL. */
function named(event_type: string): FormRecipe {
  return (facts) => ({
    CallSid: facts.call.call_control_id,
    From: facts.call.from,
    To: facts.call.to,
    event_type
  });
}

/** TeXML callbacks: forms without an event type of their own. */
export const TEXML_SAMPLES: Record<
  TypeIn<typeof TELNYX_TEXML_CALL_GROUPS> | TypeIn<typeof TELNYX_TEXML_MEDIA_GROUPS>,
  FormRecipe
> = {
  'texml.voice': call({ CallStatus: 'ringing', Direction: 'inbound' }),
  'texml.http_request': named('texml.http_request'),
  'texml.deepfake_detection': named('texml.deepfake_detection'),
  'texml.call.initiated': status('initiated'),
  'texml.call.ringing': status('ringing'),
  'texml.call.answered': status('in-progress'),
  'texml.call.completed': status('completed', {
    CallDuration: '42',
    HangupCause: 'normal_clearing',
    SequenceNumber: '3'
  }),
  'texml.call.busy': status('busy'),
  'texml.call.no-answer': status('no-answer'),
  'texml.call.canceled': status('canceled'),
  'texml.call.failed': status('failed'),
  'texml.call.dtmf': status('dtmf', { Digits: '5' }),
  'texml.call.analyzed': status('analyzed'),
  'texml.call.cost': (facts) => ({
    ...ids(facts),
    CallbackSource: 'call-cost-events',
    [`CallCost[${facts.call.call_control_id}]`]: '0.0020'
  }),
  'texml.gather': call({ Digits: '42' }),
  'texml.gather.partial': call({ UnstableSpeechResult: 'I would like' }),
  'texml.ai_gather': call({
    Base64Result: Buffer.from('{"city":"Springfield"}').toString('base64'),
    Status: 'valid'
  }),
  'texml.pay': call({
    PayResult: 'success',
    PaymentCardType: 'visa',
    PaymentConfirmationCode: 'ch_made_up',
    PaymentMethod: 'credit-card',
    Result: 'success'
  }),
  'texml.pay.progress': call({
    Attempt: '1',
    PaymentStatus: 'in-progress',
    PaymentStep: 'payment-card-number'
  }),
  'texml.connect': call({ SessionDuration: '42', SessionId: 'sample-session', SessionStatus: 'ended' }),
  'texml.dial': (facts) => ({
    ...call()(facts),
    DialCallDuration: '42',
    DialCallSid: `v3:${randomBytes(36).toString('base64url')}`,
    DialCallStatus: 'completed'
  }),
  'texml.refer': timed({ ReferCallStatus: 'completed', ReferSipResponseCode: '202' }),
  'texml.queue': call({ QueuePosition: '1', QueueSid: 'support', QueueTime: '12' }),
  'texml.queue.leave': call({ QueueResult: 'bridged', QueueSid: 'support', QueueTime: '12' }),
  'texml.amd': call({ AnsweredBy: 'human', MachineDetectionDuration: '2400' }),
  'texml.conversation.created': call({ Event: 'conversation_created' }),
  'texml.conversation.ended': call({ Event: 'conversation_ended' }),
  'texml.recording.in-progress': recordingStatus('in-progress'),
  'texml.recording.completed': (facts) => ({
    ...ids(facts),
    ...recorded(facts),
    RecordingChannels: facts.recording.channels === 'dual' ? '2' : '1',
    RecordingSource: 'RecordVerb',
    RecordingStatus: 'completed'
  }),
  'texml.recording.absent': recordingStatus('absent'),
  'texml.record': (facts) => ({ ...call()(facts), ...recorded(facts), Digits: '#' }),
  'texml.transcription': (facts) => ({
    ...call({ Confidence: '0.93', IsFinal: 'true' })(facts),
    // Forms carry no event id: without something fresh two samples would count as one delivery.
    Transcript: `This is a sample sentence, number ${randomBytes(3).readUIntBE(0, 3)}.`
  }),
  'texml.transcription.completed': (facts) => ({
    ...call()(facts),
    ...recorded(facts),
    TranscriptionSid: randomUUID(),
    TranscriptionStatus: 'completed',
    TranscriptionText: 'This is the text of a sample recording.'
  }),
  'texml.conference.start': conference('conference-start'),
  'texml.conference.end': conference('conference-end'),
  'texml.conference.participant.join': conference('participant-join'),
  'texml.conference.participant.leave': conference('participant-leave'),
  'texml.conference.participant.speech-start': conference('participant-speech-start'),
  'texml.conference.participant.speech-stop': conference('participant-speech-stop'),
  'texml.siprec.started': siprec('siprec-started'),
  'texml.siprec.stopped': siprec('siprec-stopped'),
  'texml.siprec.failed': siprec('siprec-failed'),
  'texml.stream.started': stream('stream-started'),
  'texml.stream.stopped': stream('stream-stopped'),
  'texml.stream.error': stream('stream-error', { StreamError: 'refused' }),
  'texml.stream.failed': stream('stream-failed', { StreamError: 'refused' })
};

function message(MessageStatus: string | null): FormRecipe {
  return (facts) => ({
    AccountSid: randomUUID(),
    Body: 'A sample message.',
    From: facts.call.from,
    MessageSid: randomUUID(),
    ...(MessageStatus !== null && { MessageStatus }),
    To: facts.call.to
  });
}

/** Callbacks of messaging profiles set to `2010-04-01`. */
export const MESSAGE_FORM_SAMPLES = {
  'texml.message.received': message(null),
  'texml.message.queued': message('queued'),
  'texml.message.sent': message('sent'),
  'texml.message.delivered': message('delivered'),
  'texml.message.undelivered': message('undelivered'),
  'texml.message.failed': message('failed')
} satisfies Record<string, FormRecipe>;
