import type { FamilyGroup, MediaCarried } from './catalogue-entry';
import { V2_META_SHAPES, V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

/** The document of an outgoing fax: not stored unless a flow asks for it. */
const SENT_FAX = { kind: 'fax', urls: ['original_media_url'] } as const satisfies MediaCarried;

/** SMS, MMS and what RCS and WhatsApp share with them. */
export const MESSAGING = {
  provider,
  family: 'messaging',
  label: 'Messages',
  prefixes: ['message.', 'messaging-profile.'],
  shapes: V2_META_SHAPES,
  types: [
    {
      event_type: 'message.received',
      shapes: [...V2_META_SHAPES, 'envelope-minimal'],
      media: {
        kind: 'attachment',
        urls: ['media[].url', 'body.user_file.payload.file_uri', 'body.user_file.thumbnail.file_uri']
      },
      description: 'A message came in (SMS, MMS, RCS, WhatsApp, opt-out words)'
    },
    { event_type: 'message.sent', description: 'A message was handed to the carrier' },
    {
      event_type: 'message.finalized',
      description: 'The final state of a sent message; read the status of each receiver'
    },
    {
      event_type: 'message.link_click',
      shapes: ['link-clicked'],
      discriminator: 'data.record_type=link_clicked',
      description: 'Somebody opened a shortened link'
    },
    {
      event_type: 'messaging-profile.spend-limit-reached',
      description: 'A messaging profile reached its spending limit'
    },
    { event_type: 'message.queued', verified: false, description: 'Only in guides: a message waits' },
    {
      event_type: 'message.delivered',
      verified: false,
      description: 'Only in guides: use message.finalized'
    },
    { event_type: 'message.failed', verified: false, description: 'Only in guides: use message.finalized' }
  ]
} as const satisfies FamilyGroup;

export const RCS = {
  provider,
  family: 'rcs',
  label: 'RCS',
  prefixes: [],
  shapes: V2_SHAPES,
  types: [{ event_type: 'message.read', description: 'The receiver read the message (RCS, WhatsApp)' }]
} as const satisfies FamilyGroup;

export const WHATSAPP = {
  provider,
  family: 'whatsapp',
  label: 'WhatsApp',
  prefixes: ['whatsapp.'],
  shapes: ['bare-minimal', ...V2_SHAPES],
  types: [
    {
      event_type: 'message.echo',
      shapes: V2_SHAPES,
      description: 'A message sent by the WhatsApp app itself'
    },
    {
      event_type: 'whatsapp.account.update',
      shapes: V2_SHAPES,
      description: 'Something changed on the account'
    },
    { event_type: 'whatsapp.account.restricted', description: 'The account was restricted' },
    { event_type: 'whatsapp.phone_number.quality_changed', description: 'The quality of a number changed' },
    { event_type: 'whatsapp.template.approved', description: 'A template was approved' },
    { event_type: 'whatsapp.template.rejected', description: 'A template was rejected' },
    { event_type: 'whatsapp.template.disabled', description: 'A template was switched off' }
  ]
} as const satisfies FamilyGroup;

/** Codes sent to verify a phone number. */
export const VERIFY = {
  provider,
  family: 'verify',
  label: 'Verify',
  prefixes: ['verify.', 'verification.'],
  shapes: V2_META_SHAPES,
  types: [
    { event_type: 'verify.sent', description: 'A verification code was sent' },
    { event_type: 'verify.delivered', description: 'A verification code arrived' },
    { event_type: 'verify.failed', description: 'A verification code did not arrive' },
    {
      event_type: 'verification.complete',
      shapes: ['envelope-minimal'],
      description: 'A verification by keypad was accepted or not'
    },
    { event_type: 'verification.sent', verified: false, description: 'Only in guides: a code was sent' },
    {
      event_type: 'verification.accepted',
      verified: false,
      description: 'Only in guides: the code was right'
    },
    {
      event_type: 'verification.rejected',
      verified: false,
      description: 'Only in guides: the code was wrong'
    },
    {
      event_type: 'verification.expired',
      verified: false,
      description: 'Only in guides: the code expired'
    }
  ]
} as const satisfies FamilyGroup;

/** Fax in both directions. */
export const FAX = {
  provider,
  family: 'fax',
  label: 'Fax',
  prefixes: ['fax.'],
  shapes: [...V2_META_SHAPES, 'bare'],
  types: [
    { event_type: 'fax.receiving.started', description: 'A fax is coming in' },
    {
      event_type: 'fax.received',
      media: { kind: 'fax', urls: ['media_url'] },
      description: 'A fax came in; its pages can be fetched as PDF'
    },
    { event_type: 'fax.queued', media: SENT_FAX, description: 'A fax waits to be sent' },
    { event_type: 'fax.media.processing.started', description: 'The document is being made ready' },
    { event_type: 'fax.media.processed', media: SENT_FAX, description: 'The document is ready to be sent' },
    { event_type: 'fax.sending.started', media: SENT_FAX, description: 'A fax is being sent' },
    { event_type: 'fax.delivered', media: SENT_FAX, description: 'A fax arrived' },
    { event_type: 'fax.failed', media: SENT_FAX, description: 'A fax failed, outgoing or incoming' }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_MESSAGING_GROUPS = [MESSAGING, RCS, WHATSAPP, VERIFY, FAX] as const;
