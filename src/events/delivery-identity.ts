import { createHash } from 'node:crypto';
import type { DeliveryContent } from './delivery-content';
import type { ParsedEvent } from './event';

/**
 * What tells two deliveries apart: the body's own id, else the SHA-256 (hex) of what was sent: the raw
 * body, or the query string of a GET, whose body is empty. A blank id is no id: it would make every
 * later event a duplicate of the first.
 */
export function deliveryIdentity(event: Pick<ParsedEvent, 'own_id'>, content: DeliveryContent): string {
  if (event.own_id !== null && event.own_id.trim() !== '') return event.own_id;
  const hash = createHash('sha256');
  if (content.query === null) hash.update(content.rawBody);
  else hash.update(`?${content.query}`, 'latin1');
  return hash.digest('hex');
}
