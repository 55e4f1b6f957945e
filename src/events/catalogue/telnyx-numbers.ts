import type { FamilyGroup } from './catalogue-entry';
import { V2_META_SHAPES, V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

export const NUMBER_ORDER = {
  provider,
  family: 'number-order',
  label: 'Number orders',
  prefixes: ['number_order.', 'advanced_order.'],
  shapes: V2_META_SHAPES,
  types: [
    { event_type: 'number_order.complete', description: 'An order of phone numbers is done' },
    { event_type: 'advanced_order.status_update', description: 'An advanced order changed its state' },
    { event_type: 'advanced_order.new_comment', description: 'A comment on an advanced order' }
  ]
} as const satisfies FamilyGroup;

/** Numbers coming to Telnyx. */
export const PORTING = {
  provider,
  family: 'porting',
  label: 'Porting in',
  prefixes: ['porting_order.'],
  shapes: [...V2_META_SHAPES, 'dispatch', 'event-record'],
  types: [
    { event_type: 'porting_order.status_changed', description: 'A porting order changed its state' },
    { event_type: 'porting_order.new_comment', description: 'A comment on a porting order' },
    { event_type: 'porting_order.split', description: 'A porting order was split in two' },
    {
      event_type: 'porting_order.deleted',
      shapes: ['dispatch', 'event-record', ...V2_META_SHAPES],
      description: 'A porting order was deleted'
    },
    {
      event_type: 'porting_order.messaging_changed',
      shapes: ['dispatch', 'event-record', ...V2_META_SHAPES],
      description: 'Messaging of a ported number changed'
    },
    {
      event_type: 'porting_order.loa_updated',
      shapes: ['event-record', ...V2_META_SHAPES],
      description: 'The letter of authorization changed'
    },
    {
      event_type: 'porting_order.sharing_token_expired',
      shapes: ['event-record', ...V2_META_SHAPES],
      description: 'A link to share a porting order expired'
    }
  ]
} as const satisfies FamilyGroup;

/** Numbers leaving Telnyx. */
export const PORT_OUT = {
  provider,
  family: 'port-out',
  label: 'Porting out',
  prefixes: ['portout.'],
  shapes: [...V2_META_SHAPES, 'event-record'],
  types: [
    { event_type: 'portout.status_changed', description: 'A port-out changed its state' },
    { event_type: 'portout.new_comment', description: 'A comment on a port-out' },
    { event_type: 'portout.foc_date_changed', description: 'The date of a port-out changed' }
  ]
} as const satisfies FamilyGroup;

export const CUSTOMER_SERVICE_RECORD = {
  provider,
  family: 'customer-service-record',
  label: 'Customer service records',
  prefixes: ['customer_service_record.', 'customer_service_request.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'customer_service_record.status_changed',
      description: 'A customer service record changed its state'
    },
    {
      event_type: 'customer_service_request.status_changed',
      canonical: 'customer_service_record.status_changed',
      description: 'Name of the same event before 2023'
    }
  ]
} as const satisfies FamilyGroup;

/** Registration of senders in the USA; `payload.type` says what happened. */
export const TEN_DLC = {
  provider,
  family: '10dlc',
  label: '10DLC',
  prefixes: ['10dlc.'],
  shapes: V2_META_SHAPES,
  types: [
    { event_type: '10dlc.brand.update', description: 'Something happened to a brand' },
    {
      event_type: '10dlc.campaign.update',
      shapes: [...V2_META_SHAPES, 'flat-camel'],
      discriminator: 'campaignId and type',
      description: 'Something happened to a campaign'
    },
    { event_type: '10dlc.phone_number.update', description: 'Something happened to a number of a campaign' }
  ]
} as const satisfies FamilyGroup;

export const TOLL_FREE = {
  provider,
  family: 'toll-free',
  label: 'Toll-free verification',
  prefixes: ['toll_free_verification.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'toll_free_verification.status_update', description: 'A verification changed its state' }
  ]
} as const satisfies FamilyGroup;

/** Numbers hosted elsewhere that send messages through Telnyx. */
export const HOSTED_SMS_ORDER = {
  provider,
  family: 'hosted-sms-order',
  label: 'Hosted SMS orders',
  prefixes: ['messaging_hosted_numbers_orders.'],
  shapes: [...V2_SHAPES, 'envelope-minimal'],
  types: [
    { event_type: 'messaging_hosted_numbers_orders.created', description: 'An order was made' },
    { event_type: 'messaging_hosted_numbers_orders.updated', description: 'An order changed' },
    { event_type: 'messaging_hosted_numbers_orders.deleted', description: 'An order was deleted' },
    {
      event_type: 'messaging_hosted_numbers_orders.internal_transfer_detected',
      description: 'The number already belongs to another account'
    },
    {
      event_type: 'messaging_hosted_numbers_orders.internal_transfer_approval_requested',
      description: 'The other account was asked to agree'
    },
    {
      event_type: 'messaging_hosted_numbers_orders.internal_transfer_approved',
      description: 'The other account agreed'
    },
    {
      event_type: 'messaging_hosted_numbers_orders.internal_transfer_auto_approved',
      description: 'The transfer was approved without an answer'
    },
    {
      event_type: 'messaging_hosted_numbers_orders.internal_transfer_rejected',
      description: 'The other account refused'
    }
  ]
} as const satisfies FamilyGroup;

/** The reference does not describe these; the spelling differs between examples. */
export const SIM = {
  provider,
  family: 'sim',
  label: 'SIM cards',
  prefixes: ['sim_card.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'sim_card.status_changed', verified: false, description: 'A SIM card changed its state' },
    { event_type: 'sim_card.status.changed', verified: false, description: 'The same in another spelling' },
    { event_type: 'sim_card.data_limit.reached', verified: false, description: 'A data limit was reached' },
    { event_type: 'sim_card.network.attached', verified: false, description: 'A SIM card found a network' }
  ]
} as const satisfies FamilyGroup;

export const TELNYX_NUMBERS_GROUPS = [
  NUMBER_ORDER,
  PORTING,
  PORT_OUT,
  CUSTOMER_SERVICE_RECORD,
  TEN_DLC,
  TOLL_FREE,
  HOSTED_SMS_ORDER,
  SIM
] as const;
