import type { DeliveryReceiver } from './delivery-receiver';
import { answer } from './http-responses';

/**
 * Stands behind the path of a node that cannot work as it is set up. Senders are asked to try again; "not
 * found" would be final for most of them.
 */
export const unavailableReceiver: DeliveryReceiver = {
  maxBody: 0,
  plain: true,
  acceptsMethod: () => false,
  receive: (request, response) => answer(request, response, 503)
};
