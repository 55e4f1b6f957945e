import type { FamilyGroup } from './catalogue-entry';

const provider = 'telnyx';
const shapes = ['texml-form', 'texml-query'] as const;

/** TeXML: recordings and everything else made from the sound of a call. */
export const TEXML_RECORDING = {
  provider,
  family: 'texml-recording',
  label: 'TeXML recordings',
  prefixes: ['texml.recording.'],
  shapes,
  types: [
    {
      event_type: 'texml.recording.in-progress',
      discriminator: 'RecordingStatus=in-progress',
      description: 'Recording began'
    },
    {
      event_type: 'texml.recording.completed',
      discriminator: 'RecordingStatus=completed',
      media: { kind: 'recording', urls: ['RecordingUrl'], ids: ['RecordingSid'] },
      description: 'A recording can be fetched'
    },
    {
      event_type: 'texml.recording.absent',
      discriminator: 'RecordingStatus=absent',
      description: 'There is no recording'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_RECORD = {
  provider,
  family: 'texml-record',
  label: 'TeXML Record',
  prefixes: ['texml.record'],
  shapes,
  types: [
    {
      event_type: 'texml.record',
      discriminator: 'RecordingUrl or RecordingSid, no RecordingStatus',
      media: { kind: 'recording', urls: ['RecordingUrl'], ids: ['RecordingSid'] },
      answer: 'texml',
      description: 'A Record verb ended; the call waits for instructions'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_TRANSCRIPTION = {
  provider,
  family: 'texml-transcription',
  label: 'TeXML transcription',
  prefixes: ['texml.transcription'],
  shapes,
  types: [
    {
      event_type: 'texml.transcription',
      discriminator: 'IsFinal or Transcript',
      description: 'A piece of the spoken text of a running call'
    },
    {
      event_type: 'texml.transcription.completed',
      discriminator: 'TranscriptionStatus=completed',
      media: { kind: 'recording', urls: ['RecordingUrl'], ids: ['RecordingSid'] },
      description: 'The text of a recording is ready'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_CONFERENCE = {
  provider,
  family: 'texml-conference',
  label: 'TeXML conferences',
  prefixes: ['texml.conference.'],
  shapes,
  types: [
    {
      event_type: 'texml.conference.start',
      discriminator: 'StatusCallbackEvent=conference-start',
      description: 'A conference began'
    },
    {
      event_type: 'texml.conference.end',
      discriminator: 'StatusCallbackEvent=conference-end',
      verified: false,
      description: 'A conference ended'
    },
    {
      event_type: 'texml.conference.participant.join',
      aliases: ['texml.conference.join'],
      discriminator: 'StatusCallbackEvent=participant-join',
      verified: false,
      description: 'Somebody joined'
    },
    {
      event_type: 'texml.conference.participant.leave',
      aliases: ['texml.conference.leave'],
      discriminator: 'StatusCallbackEvent=participant-leave',
      verified: false,
      description: 'Somebody left'
    },
    {
      event_type: 'texml.conference.participant.speech-start',
      discriminator: 'StatusCallbackEvent=participant-speech-start',
      verified: false,
      description: 'Somebody began to speak'
    },
    {
      event_type: 'texml.conference.participant.speech-stop',
      discriminator: 'StatusCallbackEvent=participant-speech-stop',
      verified: false,
      description: 'Somebody stopped speaking'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_SIPREC = {
  provider,
  family: 'texml-siprec',
  label: 'TeXML SIPREC',
  prefixes: ['texml.siprec.'],
  shapes,
  types: [
    {
      event_type: 'texml.siprec.started',
      discriminator: 'SiprecEvent=siprec-started',
      description: 'The SIPREC session began'
    },
    {
      event_type: 'texml.siprec.stopped',
      discriminator: 'SiprecEvent=siprec-stopped',
      description: 'The SIPREC session ended'
    },
    {
      event_type: 'texml.siprec.failed',
      discriminator: 'SiprecEvent=siprec-failed',
      description: 'The SIPREC session failed'
    }
  ]
} as const satisfies FamilyGroup;

export const TEXML_STREAM = {
  provider,
  family: 'texml-stream',
  label: 'TeXML streams',
  prefixes: ['texml.stream.'],
  shapes,
  types: [
    {
      event_type: 'texml.stream.started',
      discriminator: 'StreamEvent=stream-started',
      description: 'A stream began'
    },
    {
      event_type: 'texml.stream.stopped',
      discriminator: 'StreamEvent=stream-stopped',
      description: 'A stream ended'
    },
    {
      event_type: 'texml.stream.error',
      discriminator: 'StreamEvent=stream-error',
      description: 'A stream failed (name in the schema)'
    },
    {
      event_type: 'texml.stream.failed',
      discriminator: 'StreamEvent=stream-failed',
      description: 'A stream failed (name on the page of the verb)'
    }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_TEXML_MEDIA_GROUPS = [
  TEXML_RECORDING,
  TEXML_RECORD,
  TEXML_TRANSCRIPTION,
  TEXML_CONFERENCE,
  TEXML_SIPREC,
  TEXML_STREAM
] as const;
