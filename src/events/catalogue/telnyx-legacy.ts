import type { FamilyGroup } from './catalogue-entry';
import { CALL_RECORDING_MEDIA } from './telnyx-recording';

const provider = 'telnyx';

/** API v1, still the default of new call control applications: the v2 names in snake case. */
export const LEGACY_V1 = {
  provider,
  family: 'legacy-v1',
  label: 'API v1',
  prefixes: ['legacy.', 'call_', 'speak_', 'playback_', 'gather_', 'fork_', 'recording_', 'conference_'],
  shapes: ['legacy-v1'],
  types: [
    { event_type: 'call_initiated', canonical: 'call.initiated', description: 'v1 name of call.initiated' },
    { event_type: 'call_answered', canonical: 'call.answered', description: 'v1 name of call.answered' },
    { event_type: 'call_bridged', canonical: 'call.bridged', description: 'v1 name of call.bridged' },
    {
      event_type: 'call_hangup',
      canonical: 'call.hangup',
      verified: false,
      description: 'v1 name of call.hangup'
    },
    {
      event_type: 'dtmf',
      canonical: 'call.dtmf.received',
      verified: false,
      description: 'v1 name of call.dtmf.received'
    },
    {
      event_type: 'gather_ended',
      canonical: 'call.gather.ended',
      verified: false,
      description: 'v1 name of call.gather.ended'
    },
    {
      event_type: 'speak_started',
      canonical: 'call.speak.started',
      description: 'v1 name of call.speak.started'
    },
    {
      event_type: 'speak_ended',
      canonical: 'call.speak.ended',
      verified: false,
      description: 'v1 name of call.speak.ended'
    },
    {
      event_type: 'playback_started',
      canonical: 'call.playback.started',
      verified: false,
      description: 'v1 name of call.playback.started'
    },
    {
      event_type: 'playback_ended',
      canonical: 'call.playback.ended',
      verified: false,
      description: 'v1 name of call.playback.ended'
    },
    {
      event_type: 'fork_started',
      canonical: 'call.fork.started',
      verified: false,
      description: 'v1 name of call.fork.started'
    },
    {
      event_type: 'fork_stopped',
      canonical: 'call.fork.stopped',
      verified: false,
      description: 'v1 name of call.fork.stopped'
    },
    {
      event_type: 'recording_saved',
      canonical: 'call.recording.saved',
      media: CALL_RECORDING_MEDIA,
      description: 'v1 name of call.recording.saved'
    },
    {
      event_type: 'legacy.message',
      shapes: ['legacy-v1-flat'],
      discriminator: 'sms_id',
      description: 'A v1 message or its delivery report; read direction and status'
    }
  ]
} as const satisfies FamilyGroup;

/** Messaging profiles set to `2010-04-01`: forms whose fields are not documented. */
export const LEGACY_2010 = {
  provider,
  family: 'legacy-2010',
  label: '2010-04-01 messages',
  prefixes: ['texml.message.'],
  shapes: ['texml-form', 'texml-query'],
  types: [
    {
      event_type: 'texml.message.received',
      discriminator: 'MessageSid or SmsSid',
      verified: false,
      description: 'A message came in'
    },
    {
      event_type: 'texml.message.queued',
      discriminator: 'MessageStatus=queued',
      verified: false,
      description: 'A message waits to be sent'
    },
    {
      event_type: 'texml.message.sent',
      discriminator: 'MessageStatus=sent',
      verified: false,
      description: 'A message was handed to the carrier'
    },
    {
      event_type: 'texml.message.delivered',
      discriminator: 'MessageStatus=delivered',
      verified: false,
      description: 'A message arrived'
    },
    {
      event_type: 'texml.message.undelivered',
      discriminator: 'MessageStatus=undelivered',
      verified: false,
      description: 'A message did not arrive'
    },
    {
      event_type: 'texml.message.failed',
      discriminator: 'MessageStatus=failed',
      verified: false,
      description: 'A message could not be sent'
    }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_LEGACY_GROUPS = [LEGACY_V1, LEGACY_2010] as const;
