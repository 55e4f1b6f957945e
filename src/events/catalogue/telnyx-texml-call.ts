import type { FamilyGroup } from './catalogue-entry';

const provider = 'telnyx';
const shapes = ['texml-form', 'texml-query'] as const;

/** TeXML: requests for the next instructions, and reports on the state of a call. */
export const TEXML_VOICE = {
  provider,
  family: 'texml-voice',
  label: 'TeXML voice requests',
  prefixes: ['texml.voice'],
  shapes: ['texml-query', 'texml-form'],
  types: [
    {
      event_type: 'texml.voice',
      discriminator: 'CallSid and AccountSid, no field of another event',
      answer: 'texml',
      description: 'A call asks for its TeXML instructions'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_HTTP_REQUEST = {
  provider,
  family: 'texml-http-request',
  label: 'TeXML HttpRequest',
  prefixes: ['texml.http_request'],
  shapes,
  types: [
    {
      event_type: 'texml.http_request',
      answer: 'texml',
      description: 'An HttpRequest verb asks how to continue; its fields look like those of a voice request'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_CALL = {
  provider,
  family: 'texml-call',
  label: 'TeXML call status',
  prefixes: ['texml.call.'],
  shapes,
  types: [
    {
      event_type: 'texml.call.initiated',
      discriminator: 'CallStatus=initiated',
      description: 'A call began'
    },
    { event_type: 'texml.call.ringing', discriminator: 'CallStatus=ringing', description: 'The phone rings' },
    {
      event_type: 'texml.call.answered',
      discriminator: 'CallStatus=in-progress',
      description: 'The call was answered'
    },
    {
      event_type: 'texml.call.completed',
      discriminator: 'CallStatus=completed',
      media: { kind: 'recording', urls: ['RecordingUrl'], ids: ['CallSid'] },
      description: 'The call ended after a conversation'
    },
    { event_type: 'texml.call.busy', discriminator: 'CallStatus=busy', description: 'The line was busy' },
    {
      event_type: 'texml.call.no-answer',
      discriminator: 'CallStatus=no-answer',
      description: 'Nobody answered'
    },
    {
      event_type: 'texml.call.canceled',
      discriminator: 'CallStatus=canceled',
      description: 'The call was canceled'
    },
    { event_type: 'texml.call.failed', discriminator: 'CallStatus=failed', description: 'The call failed' },
    { event_type: 'texml.call.dtmf', discriminator: 'CallStatus=dtmf', description: 'A key was pressed' },
    {
      event_type: 'texml.call.analyzed',
      discriminator: 'CallStatus=analyzed',
      description: 'An AI call was analyzed after it ended'
    },
    {
      event_type: 'texml.call.cost',
      discriminator: 'CallbackSource=call-cost-events or a field CallCost[…]',
      description: 'What the call cost'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_AMD = {
  provider,
  family: 'texml-amd',
  label: 'TeXML machine detection',
  prefixes: ['texml.amd'],
  shapes,
  types: [
    { event_type: 'texml.amd', discriminator: 'AnsweredBy', description: 'Who answered: human, machine, fax' }
  ]
} as const satisfies FamilyGroup;

export const TEXML_DEEPFAKE = {
  provider,
  family: 'texml-deepfake',
  label: 'TeXML deepfake detection',
  prefixes: ['texml.deepfake_detection'],
  shapes,
  types: [
    {
      event_type: 'texml.deepfake_detection',
      verified: false,
      description: 'Whether the voice is likely synthetic; only the path tells this callback'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_AI_CONVERSATION = {
  provider,
  family: 'texml-ai-conversation',
  label: 'TeXML AI conversations',
  prefixes: ['texml.conversation.'],
  shapes,
  types: [
    {
      event_type: 'texml.conversation.created',
      discriminator: 'any field=conversation_created',
      description: 'A talk with an assistant began'
    },
    {
      event_type: 'texml.conversation.ended',
      discriminator: 'any field=conversation_ended',
      description: 'A talk with an assistant ended'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_DIAL = {
  provider,
  family: 'texml-dial',
  label: 'TeXML Dial',
  prefixes: ['texml.dial'],
  shapes,
  types: [
    {
      event_type: 'texml.dial',
      discriminator: 'DialCallStatus',
      media: { kind: 'recording', urls: ['RecordingUrl'], ids: ['DialCallSid', 'CallSid'] },
      answer: 'texml',
      description: 'The dialled call ended; the first call waits for instructions'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_REFER = {
  provider,
  family: 'texml-refer',
  label: 'TeXML Refer',
  prefixes: ['texml.refer'],
  shapes,
  types: [
    { event_type: 'texml.refer', discriminator: 'ReferCallStatus', description: 'State of a SIP transfer' }
  ]
} as const satisfies FamilyGroup;

export const TEXML_QUEUE = {
  provider,
  family: 'texml-queue',
  label: 'TeXML queues',
  prefixes: ['texml.queue'],
  shapes,
  types: [
    {
      event_type: 'texml.queue',
      discriminator: 'QueueSid',
      answer: 'texml',
      description: 'A waiting call asks what to play'
    },
    {
      event_type: 'texml.queue.leave',
      discriminator: 'QueueResult',
      answer: 'texml',
      verified: false,
      description: 'A call left the queue'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_PAY = {
  provider,
  family: 'texml-pay',
  label: 'TeXML Pay',
  prefixes: ['texml.pay'],
  shapes,
  types: [
    {
      event_type: 'texml.pay',
      discriminator: 'PayResult',
      answer: 'texml',
      description: 'A Pay verb ended, with or without a payment; the call waits for instructions'
    },
    {
      event_type: 'texml.pay.progress',
      discriminator: 'PaymentStep or PaymentStatus',
      verified: false,
      description: 'A step of a payment was done'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_CONNECT = {
  provider,
  family: 'texml-connect',
  label: 'TeXML Connect',
  prefixes: ['texml.connect'],
  shapes,
  types: [
    {
      event_type: 'texml.connect',
      discriminator: 'SessionStatus, SessionDuration or HandoffData',
      answer: 'texml',
      verified: false,
      description: 'A ConversationRelay session ended; the call waits for instructions'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_GATHER = {
  provider,
  family: 'texml-gather',
  label: 'TeXML Gather',
  prefixes: ['texml.gather'],
  shapes,
  types: [
    {
      event_type: 'texml.gather',
      discriminator: 'SpeechResult or Digits',
      answer: 'texml',
      description: 'Digits or speech were collected'
    },
    {
      event_type: 'texml.gather.partial',
      discriminator: 'UnstableSpeechResult or StableSpeechResult',
      verified: false,
      description: 'Speech understood so far'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_AI_GATHER = {
  provider,
  family: 'texml-ai-gather',
  label: 'TeXML AI gather',
  prefixes: ['texml.ai_gather'],
  shapes,
  types: [
    {
      event_type: 'texml.ai_gather',
      discriminator: 'Base64Result or Base64MessageHistory',
      answer: 'texml',
      description: 'An assistant collected what it was asked for'
    }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_TEXML_CALL_GROUPS = [
  TEXML_VOICE,
  TEXML_CALL,
  TEXML_GATHER,
  TEXML_AI_GATHER,
  TEXML_PAY,
  TEXML_CONNECT,
  TEXML_DIAL,
  TEXML_REFER,
  TEXML_QUEUE,
  TEXML_AMD,
  TEXML_DEEPFAKE,
  TEXML_AI_CONVERSATION,
  TEXML_HTTP_REQUEST
] as const;
