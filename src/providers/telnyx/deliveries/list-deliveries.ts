import type { CodedError } from '../../../errors/coded-error';
import { asText } from '../../../values/fields';
import { patientAsk } from '../../http/patient-request';
import type { ListedBatch } from '../../provider';
import type { ProviderAccount, ProviderOptions } from '../../provider';
import { TelnyxApi } from '../api-client';
import type { TelnyxListing } from '../list-page';
import { listTelnyx } from '../recording-list';
import { withoutTraffic } from './webhook-delivery';

/** "List webhook deliveries": what was sent to all addresses of the account, with the attempts. */
export const DELIVERIES: TelnyxListing = {
  path: 'webhook_deliveries',
  things: 'deliveries',
  time: 'started_at',
  dated: 'begun',
  // Each attempt of a delivery has its headers and up to 20 kB of bodies: with 20 attempts each, a page fits its limit.
  pageSize: 16,
  // Ten thousand ordinary ones; a delivery has no size that is certain.
  mostBytes: 64 * 1024 * 1024,
  idOf: ({ id }) => asText(id),
  keep: withoutTraffic
};

/** Most bytes of a page. While it is read, it takes up to seven times as much memory, whatever is in it. */
const MOST_PAGE_BYTES = 8 * 1024 * 1024;

/** Deliveries that are held in memory at once. */
const LARGEST_WINDOW = 1000;

export interface DeliveriesQuery {
  outcome: 'any' | 'failed';
  /** By the first attempt. Milliseconds since 1970; null where it is open. */
  from: number | null;
  to: number;
  /** Called with the reason why the list waits for the API, and with null when it resumes. Must not throw. */
  onWait: (reason: CodedError | null) => void;
}

export interface TelnyxDeliveries {
  /**
   * Lists the deliveries of the account, oldest first.
   *
   * @returns entries for `readDelivery`
   * @throws CodedError while it is read: as `JsonApi.request`; `LIST_INCOMPLETE` when the list cannot be complete
   */
  list(query: DeliveriesQuery, signal: AbortSignal): AsyncIterable<ListedBatch>;

  /** Ends connections and requests under way. Never throws. */
  close(): Promise<void>;
}

/** @throws CodedError `BAD_SETTING` when the account's API address cannot be used */
export function openDeliveries(
  account: ProviderAccount,
  { breakers, onDate }: ProviderOptions
): TelnyxDeliveries {
  const api = new TelnyxApi({
    apiUrl: account.apiUrl,
    apiKey: () => account.apiKey(),
    proxy: account.proxy,
    maxBody: MOST_PAGE_BYTES,
    ...(account.pace && { pace: account.pace }),
    onDate,
    ...(breakers && { breakers })
  });
  return {
    list: ({ outcome, from, to, onWait }, signal) =>
      listTelnyx({
        ask: patientAsk(api, { onWait, random: Math.random, signal }),
        listing: DELIVERIES,
        filter: outcome === 'failed' ? { 'filter[status][eq]': 'failed' } : {},
        from,
        to,
        signal,
        largestWindow: LARGEST_WINDOW
      }),
    close: () => api.close()
  };
}
