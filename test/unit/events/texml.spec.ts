import should from 'should';
import { lookUpType } from '../../../src/events/catalogue';
import { fromForm, fromJson } from './parsed';

const IDS = { AccountSid: 'ac-made-up', CallSid: 'v3:made-up' };
const PROGRESS = { CallbackSource: 'call-progress-events' };

type Fields = Readonly<Record<string, string>>;

/** Fields besides the ids, the resulting type, and the field that decides it. */
const DERIVED: readonly (readonly [Fields, string, string | null])[] = [
  [{ SiprecEvent: 'siprec-started' }, 'texml.siprec.started', 'SiprecEvent'],
  [{ SiprecEvent: 'siprec-failed', SiprecError: 'x' }, 'texml.siprec.failed', 'SiprecEvent'],
  [{ StreamEvent: 'stream-stopped' }, 'texml.stream.stopped', 'StreamEvent'],
  [{ StreamEvent: 'stream-error' }, 'texml.stream.error', 'StreamEvent'],
  [{ StatusCallbackEvent: 'conference-end' }, 'texml.conference.end', 'StatusCallbackEvent'],
  [{ StatusCallbackEvent: 'participant-leave' }, 'texml.conference.participant.leave', 'StatusCallbackEvent'],
  [
    { StatusCallbackEvent: 'participant-speech-start' },
    'texml.conference.participant.speech-start',
    'StatusCallbackEvent'
  ],
  [{ TranscriptionStatus: 'failed' }, 'texml.transcription.failed', 'TranscriptionStatus'],
  [{ TranscriptionSid: 't-1' }, 'texml.transcription.completed', 'TranscriptionSid'],
  [{ Transcript: '', IsFinal: 'false' }, 'texml.transcription', 'IsFinal'],
  [{ Transcript: 'hello' }, 'texml.transcription', 'Transcript'],
  [{ RecordingStatus: 'in-progress' }, 'texml.recording.in-progress', 'RecordingStatus'],
  [{ RecordingStatus: 'absent' }, 'texml.recording.absent', 'RecordingStatus'],
  [{ ReferCallStatus: 'busy', Timestamp: 'x' }, 'texml.refer', 'ReferCallStatus'],
  [{ CallbackSource: 'call-cost-events' }, 'texml.call.cost', 'CallbackSource'],
  [{ CallCost: '0.1' }, 'texml.call.cost', 'CallCost'],
  [{ 'CallCost[v3:made-up]': '0.1' }, 'texml.call.cost', 'CallCost[v3:made-up]'],
  [{ PayResult: 'success', Result: 'success' }, 'texml.pay', 'PayResult'],
  [{ Result: 'payment-connector-error', PaymentConnector: 'Default' }, 'texml.pay', 'Result'],
  [{ Result: 'my own parameter' }, 'texml.voice', null],
  [{ PaymentStep: 'payment-card-number' }, 'texml.pay.progress', 'PaymentStep'],
  [{ PaymentStatus: 'completed' }, 'texml.pay.progress', 'PaymentStatus'],
  [{ SessionId: 's-1', SessionStatus: 'ended' }, 'texml.connect', 'SessionStatus'],
  [{ HandoffData: '{"reason":"agent"}' }, 'texml.connect', 'HandoffData'],
  [{ SessionId: 'my own parameter' }, 'texml.voice', null],
  [{ StatusCallbackEvent: 'join' }, 'texml.conference.join', 'StatusCallbackEvent'],
  [
    { StatusCallbackEvent: 'participant-speech-stop' },
    'texml.conference.participant.speech-stop',
    'StatusCallbackEvent'
  ],
  [{ DialCallStatus: 'busy' }, 'texml.dial', 'DialCallStatus'],
  [{ QueueResult: 'bridged' }, 'texml.queue.leave', 'QueueResult'],
  [{ QueueSid: 'support' }, 'texml.queue', 'QueueSid'],
  [{ Base64MessageHistory: 'W10=' }, 'texml.ai_gather', 'Base64MessageHistory'],
  [{ ...PROGRESS, CallStatus: 'ringing' }, 'texml.call.ringing', 'CallStatus'],
  [{ ...PROGRESS, CallStatus: 'no-answer' }, 'texml.call.no-answer', 'CallStatus'],
  [{ ...PROGRESS, CallStatus: 'dtmf', Digit: '1' }, 'texml.call.dtmf', 'CallStatus'],
  [{ Timestamp: '2026-03-04T09:15:02Z', CallStatus: 'analyzed' }, 'texml.call.analyzed', 'CallStatus'],
  [{ ...PROGRESS, CallStatus: 'in-progress' }, 'texml.call.answered', 'CallStatus'],
  [{ AnsweredBy: 'fax' }, 'texml.amd', 'AnsweredBy'],
  [{ RecordingSid: 'r-1' }, 'texml.record', 'RecordingSid'],
  [{ StableSpeechResult: 'I would' }, 'texml.gather.partial', 'StableSpeechResult'],
  [{ SpeechResult: 'yes' }, 'texml.gather', 'SpeechResult'],
  [{ Digits: '' }, 'texml.gather', 'Digits'],
  [{ Status: 'conversation_created' }, 'texml.conversation.created', 'Status'],
  [{}, 'texml.voice', null]
];

/** Two rules match; the first decides. */
const PRECEDENCE: readonly (readonly [string, Fields, string])[] = [
  [
    'SIPREC before call status',
    { SiprecEvent: 'siprec-stopped', ...PROGRESS, CallStatus: 'completed' },
    'texml.siprec.stopped'
  ],
  [
    'conference before call status',
    { StatusCallbackEvent: 'conference-start', Timestamp: 'x', CallStatus: 'in-progress' },
    'texml.conference.start'
  ],
  [
    'transcript of a recording before recording and call status',
    {
      TranscriptionStatus: 'completed',
      RecordingUrl: 'x',
      RecordingStatus: 'completed',
      Timestamp: 'x',
      CallStatus: 'completed'
    },
    'texml.transcription.completed'
  ],
  [
    'the result of a payment before its progress and call status',
    { PayResult: 'success', PaymentStatus: 'completed', Timestamp: 'x', CallStatus: 'in-progress' },
    'texml.pay'
  ],
  [
    'a step of a payment before call status',
    { PaymentStep: 'expiration-date', Timestamp: 'x', CallStatus: 'in-progress' },
    'texml.pay.progress'
  ],
  [
    'the end of a session before call status',
    { SessionStatus: 'completed', Timestamp: 'x', CallStatus: 'in-progress' },
    'texml.connect'
  ],
  [
    'recording before call status',
    { RecordingStatus: 'completed', Timestamp: 'x', CallStatus: 'completed' },
    'texml.recording.completed'
  ],
  [
    'call cost before call status',
    { 'CallCost[x]': '1', Timestamp: 'x', CallStatus: 'completed' },
    'texml.call.cost'
  ],
  [
    'Dial before call status',
    { DialCallStatus: 'completed', Timestamp: 'x', CallStatus: 'completed' },
    'texml.dial'
  ],
  [
    'call status before Dial with CallbackSource',
    { DialCallStatus: 'completed', ...PROGRESS, CallStatus: 'completed' },
    'texml.call.completed'
  ],
  ['leaving a queue before waiting in it', { QueueSid: 'q', QueueResult: 'hangup' }, 'texml.queue.leave'],
  [
    'call status before machine detection',
    { ...PROGRESS, CallStatus: 'in-progress', AnsweredBy: 'human' },
    'texml.call.answered'
  ],
  [
    'call status before Record',
    { ...PROGRESS, CallStatus: 'completed', RecordingUrl: 'x' },
    'texml.call.completed'
  ],
  ['Record before Gather', { RecordingUrl: 'x', Digits: '#' }, 'texml.record'],
  ['partial speech before speech', { UnstableSpeechResult: 'a', SpeechResult: 'b' }, 'texml.gather.partial'],
  ['a call before a message', { MessageSid: 'm' }, 'texml.voice'],
  ['CallStatus alone is a voice request', { CallStatus: 'in-progress' }, 'texml.voice'],
  ['a progress report needs a CallStatus', { ...PROGRESS }, 'texml.voice'],
  [
    'empty values count as absent',
    {
      SiprecEvent: '',
      StreamEvent: ' ',
      StatusCallbackEvent: '',
      RecordingStatus: '',
      TranscriptionStatus: ''
    },
    'texml.voice'
  ]
];

/** Undocumented values give a stable type and the family of their prefix. */
const UNKNOWN_VALUES: readonly (readonly [Fields, string, string])[] = [
  [{ SiprecEvent: 'siprec-paused' }, 'texml.siprec.paused', 'texml-siprec'],
  [{ SiprecEvent: ' Rerouted ' }, 'texml.siprec.rerouted', 'texml-siprec'],
  [{ SiprecEvent: 'siprec-' }, 'texml.siprec.siprec-', 'texml-siprec'],
  [{ StreamEvent: 'stream-resumed' }, 'texml.stream.resumed', 'texml-stream'],
  [{ StatusCallbackEvent: 'speaker' }, 'texml.conference.speaker', 'texml-conference'],
  [{ StatusCallbackEvent: 'participant-hold' }, 'texml.conference.participant.hold', 'texml-conference'],
  [{ RecordingStatus: 'PAUSED' }, 'texml.recording.paused', 'texml-recording'],
  [{ ...PROGRESS, CallStatus: 'parked' }, 'texml.call.parked', 'texml-call']
];

describe('events: TeXML', () => {
  for (const [fields, type, field] of DERIVED) {
    it(`derives ${type} from ${JSON.stringify(fields)}`, () => {
      const event = fromForm({ ...IDS, ...fields });
      should(event).have.properties({
        event_type: type,
        shape: 'texml-form',
        own_id: null,
        client_state: null
      });
      should(event.discriminator).deepEqual(field === null ? null : { field, value: fields[field] });
      should(event.payload).deepEqual({ ...IDS, ...fields });
      should(event.payload).equal(event.body);
    });

    it(`derives ${type} from the same fields as JSON`, () => {
      should(fromJson({ ...IDS, ...fields })).have.properties({ event_type: type, shape: 'texml-form' });
    });
  }

  for (const [what, fields, type] of PRECEDENCE) {
    it(`order of the rules: ${what}`, () => {
      should(fromForm({ ...IDS, ...fields }).event_type).equal(type);
      should(fromForm(Object.fromEntries(Object.entries({ ...IDS, ...fields }).reverse())).event_type).equal(
        type
      );
    });
  }

  for (const [fields, type, family] of UNKNOWN_VALUES) {
    it(`gives ${JSON.stringify(fields)} the stable type ${type}`, () => {
      const event = fromForm({ ...IDS, ...fields });
      should(event).have.properties({ event_type: type, canonical_type: type, family, known: false });
    });
  }

  it('types a message of the 2010-04-01 API', () => {
    should(fromForm({ MessageSid: 'SM-1', MessageStatus: 'Delivered' }).event_type).equal(
      'texml.message.delivered'
    );
    should(fromForm({ SmsSid: 'SM-1', SmsStatus: 'sent' }).event_type).equal('texml.message.sent');
    should(fromForm({ SmsSid: 'SM-1', Body: 'Hi' })).have.properties({
      event_type: 'texml.message.received',
      discriminator: { field: 'SmsSid', value: 'SM-1' }
    });
  });

  it('keeps every field a string, and names with brackets literal', () => {
    const fields = {
      ...IDS,
      SequenceNumber: '7',
      ShakenStirValidated: 'true',
      'CallCost[v3:x]': '0.1',
      'a[b]': 'c'
    };
    should(fromForm(fields).payload).deepEqual(fields);
  });

  it('accepts numbers and booleans in JSON as values, but nothing nested', () => {
    should(fromJson({ ...IDS, IsFinal: false }).discriminator).deepEqual({
      field: 'IsFinal',
      value: 'false'
    });
    should(fromJson({ ...IDS, RecordingStatus: { evil: 1 } }).event_type).equal('texml.voice');
    should(fromJson({ CallSid: {}, AccountSid: 'x' }).event_type).equal('unknown');
  });

  it('never mistakes an inherited property for a field', () => {
    should(fromForm({ constructor: 'x', toString: 'y' }).event_type).equal('unknown');
  });

  it('lists every derived type of the rules in the catalogue', () => {
    const open = ['texml.transcription.failed'];
    const types = DERIVED.map(([, type]) => type).filter((type) => !open.includes(type));
    should(types.filter((type) => lookUpType('telnyx', type) === undefined)).deepEqual([]);
  });
});
