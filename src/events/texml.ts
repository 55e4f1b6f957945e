import { type Fields, fieldOf } from '../values/fields';
import { firstTime } from '../values/time';
import { type BodyReading, emptyReading } from './build-event';
import type { Discriminator } from './event';
import type { Shape } from './shapes';

/**
 * Derives the event type of a TeXML callback (or of a TwiML-compatible message callback) from its
 * fields. TeXML sends no event type: the `texml.…` names are this package's own, and the field that
 * determined the type is kept as `discriminator`. An undocumented value still gives a stable type.
 *
 * TeXML has neither an identity nor a client_state of its own.
 *
 * @param fields - the fields of a form or query string, or a JSON object with the same names
 * @param shape - how they arrived
 * @returns undefined when no rule matches
 */
export function readTexml(fields: Fields, shape: Shape): BodyReading | undefined {
  const reader = texmlFields(fields);
  for (const rule of TEXML_RULES) {
    const found = rule(reader);
    if (found === undefined) continue;
    return {
      ...emptyReading(found.event_type, shape, fields),
      occurred_at: firstTime(fieldOf(fields, 'Timestamp'), fieldOf(fields, 'OccurredAt')),
      discriminator: found.discriminator
    };
  }
  return undefined;
}

/**
 * The fields of a TeXML callback for the rules: present, and as trimmed text. JSON senders may use
 * numbers and booleans where a form has words.
 */
interface TexmlFields {
  readonly names: readonly string[];
  /** Whether the field is there, even if empty. */
  has(name: string): boolean;
  /** The value as sent; empty when absent or not a simple value. */
  text(name: string): string;
}

function texmlFields(fields: Fields): TexmlFields {
  return {
    names: Object.keys(fields),
    has: (name) => Object.hasOwn(fields, name),
    text: (name) => {
      const value = fieldOf(fields, name);
      if (typeof value === 'string') return value;
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
    }
  };
}

/** What a rule found: the derived type and the field that determined it (none for a plain voice request). */
interface TexmlMatch {
  readonly event_type: string;
  readonly discriminator: Discriminator | null;
}

type TexmlRule = (fields: TexmlFields) => TexmlMatch | undefined;

const PROGRESS = 'call-progress-events';

const COST = 'call-cost-events';

function normal(value: string): string {
  return value.trim().toLowerCase();
}

function match(fields: TexmlFields, event_type: string, field: string): TexmlMatch {
  return { event_type, discriminator: { field, value: fields.text(field) } };
}

/** One of the fields is there: a fixed type. */
function present(event_type: string, ...names: readonly string[]): TexmlRule {
  return (fields) => {
    const name = names.find((candidate) => fields.has(candidate));
    return name === undefined ? undefined : match(fields, event_type, name);
  };
}

/** The field has a value: the type is made from it. */
function valued(field: string, toType: (value: string) => string): TexmlRule {
  return (fields) => {
    const value = normal(fields.text(field));
    return value === '' ? undefined : match(fields, toType(value), field);
  };
}

/** Removes what the type already says: `texml.siprec.siprec-started` would say `siprec` twice. */
function without(prefix: string, value: string): string {
  return value.startsWith(prefix) && value.length > prefix.length ? value.slice(prefix.length) : value;
}

function conferenceType(value: string): string {
  const participant = without('participant-', value);
  if (participant !== value) return `texml.conference.participant.${participant}`;
  return `texml.conference.${without('conference-', value)}`;
}

const recordingTranscription: TexmlRule = (fields) => {
  const status = normal(fields.text('TranscriptionStatus'));
  if (status !== '') return match(fields, `texml.transcription.${status}`, 'TranscriptionStatus');
  if (!fields.has('TranscriptionSid')) return undefined;
  return match(fields, 'texml.transcription.completed', 'TranscriptionSid');
};

const callCost: TexmlRule = (fields) => {
  if (normal(fields.text('CallbackSource')) === COST)
    return match(fields, 'texml.call.cost', 'CallbackSource');
  // The id of the call is part of the name: CallCost[v3:…].
  const name = fields.names.find((field) => field === 'CallCost' || field.startsWith('CallCost['));
  return name === undefined ? undefined : match(fields, 'texml.call.cost', name);
};

/** A report on an ended call can show DialCallStatus too; CallbackSource distinguishes it from a Dial action. */
const dial: TexmlRule = (fields) =>
  fields.has('DialCallStatus') && normal(fields.text('CallbackSource')) !== PROGRESS
    ? match(fields, 'texml.dial', 'DialCallStatus')
    : undefined;

/**
 * The action of a Pay verb. Telnyx documents its `PayResult`; `Result`, which comes with it, is too common a name to
 * decide alone.
 */
const pay: TexmlRule = (fields) => {
  if (fields.has('PayResult')) return match(fields, 'texml.pay', 'PayResult');
  const isAboutPay = fields.names.some((name) => name.startsWith('Pay'));
  return fields.has('Result') && isAboutPay ? match(fields, 'texml.pay', 'Result') : undefined;
};

/** CallStatus alone is not enough: a voice request can say `in-progress` as well. */
const callStatus: TexmlRule = (fields) => {
  const status = normal(fields.text('CallStatus'));
  const report = normal(fields.text('CallbackSource')) === PROGRESS || fields.has('Timestamp');
  if (status === '' || !report) return undefined;
  return match(fields, `texml.call.${status === 'in-progress' ? 'answered' : status}`, 'CallStatus');
};

/** No documentation page names the field with these two values. */
const conversation: TexmlRule = (fields) => {
  for (const field of fields.names) {
    const value = normal(fields.text(field));
    if (value === 'conversation_created') return match(fields, 'texml.conversation.created', field);
    if (value === 'conversation_ended') return match(fields, 'texml.conversation.ended', field);
  }
  return undefined;
};

const voice: TexmlRule = (fields) =>
  fields.has('CallSid') && fields.has('AccountSid')
    ? { event_type: 'texml.voice', discriminator: null }
    : undefined;

const message: TexmlRule = (fields) => {
  if (!fields.has('MessageSid') && !fields.has('SmsSid')) return undefined;
  for (const field of ['MessageStatus', 'SmsStatus']) {
    const status = normal(fields.text(field));
    if (status !== '') return match(fields, `texml.message.${status}`, field);
  }
  return match(fields, 'texml.message.received', fields.has('MessageSid') ? 'MessageSid' : 'SmsSid');
};

/**
 * The rules in order; the first that matches decides.
 *
 * Why this order: the transcript of a recording also has CallStatus and RecordingUrl; an ended call
 * and a Dial action share their fields; synchronous machine detection puts AnsweredBy on a status
 * report, which stays one; a Record action may have Digits; the actions of Pay and Connect may have CallStatus.
 */
const TEXML_RULES: readonly TexmlRule[] = [
  valued('SiprecEvent', (value) => `texml.siprec.${without('siprec-', value)}`),
  valued('StreamEvent', (value) => `texml.stream.${without('stream-', value)}`),
  valued('StatusCallbackEvent', conferenceType),
  recordingTranscription,
  present('texml.transcription', 'IsFinal', 'Transcript'),
  valued('RecordingStatus', (value) => `texml.recording.${value}`),
  present('texml.refer', 'ReferCallStatus'),
  callCost,
  pay,
  present('texml.pay.progress', 'PaymentStep', 'PaymentStatus'),
  present('texml.connect', 'SessionStatus', 'SessionDuration', 'HandoffData'),
  dial,
  present('texml.queue.leave', 'QueueResult'),
  present('texml.queue', 'QueueSid'),
  present('texml.ai_gather', 'Base64Result', 'Base64MessageHistory'),
  callStatus,
  present('texml.amd', 'AnsweredBy'),
  present('texml.record', 'RecordingUrl', 'RecordingSid'),
  present('texml.gather.partial', 'UnstableSpeechResult', 'StableSpeechResult'),
  present('texml.gather', 'SpeechResult', 'Digits'),
  conversation,
  voice,
  message
];
