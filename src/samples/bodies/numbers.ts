import { randomUUID } from 'node:crypto';
import type { TELNYX_NUMBERS_GROUPS } from '../../events/catalogue/telnyx-numbers';
import type { SampleRecipe } from '../sample-facts';
import type { TypeIn } from '../sample-types';

/** @param more fields beside the id of the order */
function order(more: Record<string, unknown> = {}): SampleRecipe {
  return () => ({ id: randomUUID(), ...more });
}

function status(value: string): Record<string, unknown> {
  return { status: { details: [], value } };
}

const COMMENT = { comment: { body: 'A sample comment.', user_type: 'admin' } };

function portOut(more: Record<string, unknown>): SampleRecipe {
  return ({ call }) => ({ phone_numbers: [call.to], portout_id: randomUUID(), ...more });
}

const serviceRecord: SampleRecipe = ({ call }) => ({
  id: randomUUID(),
  phone_number: call.to,
  status: 'completed'
});

function hosted(order_status: string): SampleRecipe {
  return ({ call }) => ({ id: randomUUID(), order_status, phone_numbers: [call.to] });
}

function sim(more: Record<string, unknown>): SampleRecipe {
  return () => ({ sim_card_id: randomUUID(), ...more });
}

/** Number orders, porting, registration of senders, SIM cards. */
export const NUMBERS_SAMPLES: Record<TypeIn<typeof TELNYX_NUMBERS_GROUPS>, SampleRecipe> = {
  'number_order.complete': ({ call }) => ({
    id: randomUUID(),
    phone_numbers: [{ phone_number: call.to, status: 'success' }],
    record_type: 'number_order',
    status: 'success'
  }),
  'advanced_order.status_update': order({ status: 'processing' }),
  'advanced_order.new_comment': order(COMMENT),
  'porting_order.status_changed': order(status('ported')),
  'porting_order.new_comment': order(COMMENT),
  'porting_order.split': () => ({ from: { id: randomUUID() }, to: { id: randomUUID() } }),
  'porting_order.deleted': ({ now }) => ({ deleted_at: now.toISOString(), id: randomUUID() }),
  'porting_order.messaging_changed': order({ messaging: { enable_messaging: true } }),
  'porting_order.loa_updated': order(),
  'porting_order.sharing_token_expired': order(),
  'portout.status_changed': portOut({ status: 'authorized' }),
  'portout.new_comment': portOut(COMMENT),
  'portout.foc_date_changed': ({ call, now }) => ({
    foc_date: now.toISOString(),
    phone_numbers: [call.to],
    portout_id: randomUUID()
  }),
  'customer_service_record.status_changed': serviceRecord,
  'customer_service_request.status_changed': serviceRecord,
  '10dlc.brand.update': () => ({ brandId: randomUUID(), status: 'success', type: 'REGISTRATION' }),
  '10dlc.campaign.update': () => ({ campaignId: randomUUID(), status: 'ACCEPTED', type: 'TELNYX_REVIEW' }),
  '10dlc.phone_number.update': ({ call }) => ({
    campaignId: randomUUID(),
    phoneNumber: call.to,
    status: 'success',
    type: 'ASSIGNMENT'
  }),
  'toll_free_verification.status_update': ({ call }) => ({
    id: randomUUID(),
    phone_numbers: [call.to],
    verification_status: 'Verified'
  }),
  'messaging_hosted_numbers_orders.created': hosted('pending'),
  'messaging_hosted_numbers_orders.updated': hosted('provisioning'),
  'messaging_hosted_numbers_orders.deleted': hosted('deleted'),
  'messaging_hosted_numbers_orders.internal_transfer_detected': hosted('pending'),
  'messaging_hosted_numbers_orders.internal_transfer_approval_requested': hosted('pending'),
  'messaging_hosted_numbers_orders.internal_transfer_approved': hosted('provisioning'),
  'messaging_hosted_numbers_orders.internal_transfer_auto_approved': hosted('provisioning'),
  'messaging_hosted_numbers_orders.internal_transfer_rejected': hosted('failed'),
  'sim_card.status_changed': sim({ status: 'enabled' }),
  'sim_card.status.changed': sim({ status: 'enabled' }),
  'sim_card.data_limit.reached': sim({ data_limit: { amount: '500', unit: 'MB' } }),
  'sim_card.network.attached': sim({ network: 'Example Mobile' })
};
