import { randomUUID } from 'node:crypto';
import type { TELNYX_MESSAGING_GROUPS } from '../../events/catalogue/telnyx-messaging';
import { SAMPLE_SCHEME, type SampleFacts, type SampleRecipe, sampleId } from '../sample-facts';
import type { TypeIn } from '../sample-types';

/** @param status of the receiver */
function message({ call, now }: SampleFacts, direction: 'inbound' | 'outbound', status: string) {
  const isInbound = direction === 'inbound';
  return {
    cc: [],
    direction,
    encoding: 'GSM-7',
    errors: [],
    from: { carrier: 'Example Wireless', line_type: 'Wireless', phone_number: call.from },
    id: sampleId(),
    media: [],
    messaging_profile_id: randomUUID(),
    parts: 1,
    [isInbound ? 'received_at' : 'sent_at']: now.toISOString(),
    record_type: 'message',
    text: 'A sample message.',
    to: [{ carrier: 'Telnyx', line_type: 'VoIP', phone_number: call.to, status }],
    type: 'SMS'
  };
}

function outbound(status: string, more: Record<string, unknown> = {}): SampleRecipe {
  return (facts) => ({ ...message(facts, 'outbound', status), ...more });
}

const COST = { amount: '0.0040', currency: 'USD' };
const CARRIER_FAULT = [
  { code: '40008', detail: 'The carrier did not accept the message.', title: 'Undeliverable' }
];

function whatsapp(record_type: string, more: Record<string, unknown>): SampleRecipe {
  return () => ({ record_type, waba_id: 'sample-account', ...more });
}

function template(status: string, more: Record<string, unknown> = {}): SampleRecipe {
  return whatsapp('whatsapp_template', { status, template_name: 'table_ready', ...more });
}

function verification(status: string): SampleRecipe {
  return ({ call }) => ({
    phone_number: call.from,
    status,
    type: 'sms',
    verification_id: randomUUID(),
    verify_profile_id: randomUUID()
  });
}

function code(delivery_status: string): SampleRecipe {
  return (facts) => ({ ...verification('pending')(facts), delivery_status });
}

function fax(
  direction: 'inbound' | 'outbound',
  status: string,
  more: Record<string, unknown> = {}
): SampleRecipe {
  return ({ call }) => ({
    connection_id: call.connection_id,
    direction,
    fax_id: sampleId(),
    from: call.from,
    status,
    to: call.to,
    ...(direction === 'outbound' && { original_media_url: `${SAMPLE_SCHEME}fax.pdf` }),
    ...more
  });
}

/** SMS, MMS, RCS, WhatsApp, verification, fax. */
export const MESSAGING_SAMPLES: Record<TypeIn<typeof TELNYX_MESSAGING_GROUPS>, SampleRecipe> = {
  'message.received': (facts) => message(facts, 'inbound', 'webhook_delivered'),
  'message.sent': outbound('sent'),
  'message.finalized': outbound('delivered', { cost: COST }),
  'message.link_click': ({ call, now }) => ({
    message_id: sampleId(),
    time_clicked: now.toISOString(),
    to: call.from,
    url: 'https://example.com/offer'
  }),
  'messaging-profile.spend-limit-reached': () => ({
    daily_spend_limit: '10.00',
    messaging_profile_id: randomUUID(),
    messaging_profile_name: 'Sample profile'
  }),
  'message.queued': outbound('queued'),
  'message.delivered': outbound('delivered'),
  'message.failed': outbound('sending_failed', { errors: CARRIER_FAULT }),
  'message.read': (facts) => ({
    ...message(facts, 'outbound', 'read'),
    from: { agent_id: 'sample-agent', agent_name: 'Example Shop' },
    type: 'RCS'
  }),
  'message.echo': outbound('sent', { type: 'WHATSAPP' }),
  'whatsapp.account.update': whatsapp('whatsapp_account', { event: 'ACCOUNT_RECONNECTED' }),
  'whatsapp.account.restricted': whatsapp('whatsapp_account', { event: 'ACCOUNT_RESTRICTION' }),
  'whatsapp.phone_number.quality_changed': ({ call }) => ({
    current_limit: 'TIER_1K',
    phone_number: call.to,
    quality: 'GREEN',
    record_type: 'whatsapp_phone_number'
  }),
  'whatsapp.template.approved': template('APPROVED'),
  'whatsapp.template.rejected': template('REJECTED', { reason: 'INVALID_FORMAT' }),
  'whatsapp.template.disabled': template('DISABLED'),
  'verify.sent': code('sent'),
  'verify.delivered': code('delivered'),
  'verify.failed': code('failed'),
  'verification.complete': ({ call }) => ({
    phone_number: call.from,
    status: 'accepted',
    type: 'dtmf_confirm'
  }),
  'verification.sent': verification('pending'),
  'verification.accepted': verification('accepted'),
  'verification.rejected': verification('rejected'),
  'verification.expired': verification('expired'),
  'fax.receiving.started': fax('inbound', 'receiving'),
  'fax.received': fax('inbound', 'received', { media_url: `${SAMPLE_SCHEME}fax.pdf`, page_count: 1 }),
  'fax.queued': fax('outbound', 'queued'),
  'fax.media.processing.started': fax('outbound', 'media.processing'),
  'fax.media.processed': fax('outbound', 'media.processed'),
  'fax.sending.started': fax('outbound', 'sending'),
  'fax.delivered': fax('outbound', 'delivered', { call_duration_secs: 42, page_count: 1 }),
  'fax.failed': fax('outbound', 'failed', { failure_reason: 'user_busy' })
};
