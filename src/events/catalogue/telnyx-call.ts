import type { FamilyGroup } from './catalogue-entry';
import { V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

/** Call Control: the life of a call. */
export const CALL_CONTROL = {
  provider,
  family: 'call-control',
  label: 'Call control',
  prefixes: ['call.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.initiated', description: 'A call comes in, or an outgoing call was started' },
    { event_type: 'call.answered', description: 'The call was answered' },
    { event_type: 'call.bridged', description: 'Two calls were connected with each other' },
    { event_type: 'call.hangup', description: 'The call ended; the fields say by whom and why' },
    { event_type: 'call.hold', description: 'The call was put on hold' },
    { event_type: 'call.unhold', description: 'The call was taken off hold' },
    { event_type: 'call.enqueued', description: 'The call entered a queue' },
    { event_type: 'call.dequeued', description: 'The call left a queue' },
    { event_type: 'call.left.queue', canonical: 'call.dequeued', description: 'Older name of call.dequeued' },
    { event_type: 'call.dtmf.received', description: 'The caller pressed a key' },
    { event_type: 'call.gather.ended', description: 'Collecting digits ended; the fields hold them' },
    { event_type: 'call.playback.started', description: 'A sound file began to play' },
    { event_type: 'call.playback.ended', description: 'A sound file stopped playing' },
    { event_type: 'call.speak.started', description: 'Text to speech began' },
    { event_type: 'call.speak.ended', description: 'Text to speech ended' },
    { event_type: 'call.refer.started', description: 'A transfer by SIP REFER was started' },
    { event_type: 'call.refer.completed', description: 'A transfer by SIP REFER succeeded' },
    { event_type: 'call.refer.failed', description: 'A transfer by SIP REFER failed' },
    { event_type: 'call.sip_info.received', description: 'A SIP INFO message came in during the call' },
    { event_type: 'call.ringing', verified: false, description: 'The other side rings; not in the reference' }
  ]
} as const satisfies FamilyGroup;

/** Streaming of the audio of a call to a third party (older command). */
export const CALL_FORK = {
  provider,
  family: 'call-fork',
  label: 'Media forking',
  prefixes: ['call.fork.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.fork.started', description: 'The copy of the call audio began to flow' },
    { event_type: 'call.fork.stopped', description: 'The copy of the call audio ended' }
  ]
} as const satisfies FamilyGroup;

/** The name on the wire has no `call.`; command pages and class names show it with one. */
export const CALL_STREAMING = {
  provider,
  family: 'call-streaming',
  label: 'Media streaming',
  prefixes: ['streaming.', 'call.streaming.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'streaming.started',
      aliases: ['call.streaming.started'],
      description: 'Streaming to the WebSocket began'
    },
    {
      event_type: 'streaming.stopped',
      aliases: ['call.streaming.stopped'],
      description: 'Streaming to the WebSocket ended'
    },
    {
      event_type: 'streaming.failed',
      aliases: ['call.streaming.failed'],
      description: 'Streaming to the WebSocket failed'
    }
  ]
} as const satisfies FamilyGroup;

/** The name on the wire has no `call.` here either. */
export const CALL_SIPREC = {
  provider,
  family: 'call-siprec',
  label: 'SIPREC',
  prefixes: ['siprec.', 'call.siprec.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'siprec.started',
      aliases: ['call.siprec.started'],
      description: 'The SIPREC session to the recorder began'
    },
    {
      event_type: 'siprec.stopped',
      aliases: ['call.siprec.stopped'],
      description: 'The SIPREC session to the recorder ended'
    },
    {
      event_type: 'siprec.failed',
      aliases: ['call.siprec.failed'],
      description: 'The SIPREC session failed; failure_cause says why'
    }
  ]
} as const satisfies FamilyGroup;

/** Answering machine detection. */
export const CALL_AMD = {
  provider,
  family: 'call-amd',
  label: 'Answering machine detection',
  prefixes: ['call.machine.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.machine.detection.ended', description: 'Human or machine: the result is there' },
    { event_type: 'call.machine.greeting.ended', description: 'The greeting of the machine ended' },
    { event_type: 'call.machine.premium.detection.ended', description: 'Premium detection has a result' },
    {
      event_type: 'call.machine.premium.greeting.ended',
      description: 'Premium detection: the greeting ended'
    }
  ]
} as const satisfies FamilyGroup;

/** Card payments by keypad. */
export const CALL_PAY = {
  provider,
  family: 'call-pay',
  label: 'Payments by phone',
  prefixes: ['call.payment.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.payment.progress', description: 'A step of the payment was done' },
    { event_type: 'call.payment.completed', description: 'The payment ended, with or without success' }
  ]
} as const satisfies FamilyGroup;

export const CALL_COST = {
  provider,
  family: 'call-cost',
  label: 'Call cost',
  prefixes: ['call.cost'],
  shapes: V2_SHAPES,
  types: [{ event_type: 'call.cost', description: 'What the call cost; amounts are strings' }]
} as const satisfies FamilyGroup;

export const CALL_DEEPFAKE = {
  provider,
  family: 'call-deepfake',
  label: 'Deepfake detection',
  prefixes: ['call.deepfake_detection.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.deepfake_detection.result', description: 'Whether the voice is likely synthetic' },
    { event_type: 'call.deepfake_detection.error', description: 'The voice could not be judged' }
  ]
} as const satisfies FamilyGroup;

export const CALL_TRANSCRIPTION = {
  provider,
  family: 'call-transcription',
  label: 'Live transcription',
  prefixes: ['call.transcription'],
  shapes: V2_SHAPES,
  types: [{ event_type: 'call.transcription', description: 'A piece of the spoken text of a running call' }]
} as const satisfies FamilyGroup;

export const TELNYX_CALL_GROUPS = [
  CALL_CONTROL,
  CALL_AMD,
  CALL_TRANSCRIPTION,
  CALL_STREAMING,
  CALL_FORK,
  CALL_SIPREC,
  CALL_PAY,
  CALL_COST,
  CALL_DEEPFAKE
] as const;
