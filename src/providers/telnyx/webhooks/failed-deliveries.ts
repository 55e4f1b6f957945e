import { asText } from '../../../values/fields';
import { readTime } from '../../../values/time';
import type { Ask } from '../../http/patient-request';
import { type HealthQuery, plainUrl, type WebhookProblem } from '../../webhook-health';
import { DELIVERIES } from '../deliveries/list-deliveries';
import { addressesOf } from '../deliveries/webhook-delivery';
import { telnyxPage } from '../list-page';

/** Enough to see that something is wrong; a delivery list finds all. */
const MOST_PAGES = 7;
const FAILED = { 'filter[status][eq]': 'failed' };

/**
 * Looks for deliveries to this Node-RED that Telnyx gave up.
 *
 * @throws CodedError as `ask`; `LINK_REFUSED` when the answer is no list
 */
export async function failedDeliveries(
  ask: Ask,
  { isOurs, from, to }: HealthQuery
): Promise<WebhookProblem[]> {
  const failed = new Set<string>();
  let url: string | null = null;
  let last: string | null = null;
  let complete = true;
  for (let number = 1; ; number += 1) {
    const { items, pages } = await telnyxPage(
      { ask, listing: DELIVERIES, filter: FAILED },
      { gte: from, lte: to },
      { number }
    );
    for (const item of items) {
      const ours = addressesOf(item).find(isOurs);
      if (ours === undefined) continue;
      // A page that changes meanwhile shows an entry twice.
      failed.add(asText(item['id']) ?? `nameless ${failed.size}`);
      const at = readTime(item['started_at']);
      if (url !== null && (at === null || (last !== null && at <= last))) continue;
      url = plainUrl(ours);
      last = at;
    }
    if (number >= pages || items.length === 0) break;
    if (number === MOST_PAGES) {
      complete = false;
      break;
    }
  }
  if (failed.size === 0) return [];
  const message =
    `${complete ? '' : 'At least '}${failed.size} of Telnyx's deliveries to this Node-RED failed since ` +
    `${new Date(from).toISOString()}. Check that the webhook URL can be reached from the internet, and fetch the events with a ` +
    'delivery list node.';
  return [
    { provider: 'telnyx', problem: 'deliveries-failed', url, failed: failed.size, complete, last, message }
  ];
}
