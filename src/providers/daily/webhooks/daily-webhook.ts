// What a webhook of Daily is. The dialog uses this too, so it imports nothing.

/** Daily spells states in several ways. `unknown`: in one that this version does not know. */
export type DailyWebhookState = 'active' | 'failed' | 'inactive' | 'unknown';

/** A webhook of a Daily domain. All texts are Daily's, and untrusted. */
export interface DailyWebhook {
  uuid: string;
  url: string | null;
  state: DailyWebhookState;
  event_types: string[];
  retry_type: string | null;
  /** Deliveries in a row that failed; null when Daily does not say. */
  failed_count: number | null;
  /** The last delivery, ISO 8601. */
  last_pushed: string | null;
}
