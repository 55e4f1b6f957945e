/** What is wrong with the webhooks of an account, as far as they send to this Node-RED. Also part of a message. */
export interface WebhookProblem {
  provider: string;
  /** `webhook-failed`: nothing is sent any more. `deliveries-failed`: single deliveries did not arrive. */
  problem: 'webhook-failed' | 'deliveries-failed';
  /** The URL, without its query. */
  url: string | null;
  /** Deliveries that failed; null when the provider does not say. */
  failed: number | null;
  /** False: there are more than `failed`. */
  complete: boolean;
  /** The last delivery, ISO 8601; null when unknown. */
  last: string | null;
  /** What it means and what to do. */
  message: string;
}

export interface HealthQuery {
  /** Whether something was sent to this Node-RED. @param url untrusted */
  isOurs: (url: string) => boolean;
  /** The span of time in which deliveries count. Milliseconds since 1970. */
  from: number;
  to: number;
}

/** Looks at the webhooks of one account. */
export interface WebhookHealth {
  /**
   * Asks for the present state, with few requests and without repeating any.
   *
   * @throws CodedError as `JsonApi.request`; `signal.reason` when aborted
   */
  check(query: HealthQuery, signal: AbortSignal): Promise<WebhookProblem[]>;
  /** Ends connections and requests under way. Never throws. */
  close(): Promise<void>;
}

/** @returns a URL without what could be a secret: login, query, fragment */
export function plainUrl(url: string): string {
  if (!URL.canParse(url)) return 'an address that cannot be read';
  const { origin, pathname, protocol } = new URL(url);
  // Only addresses of the web have an origin; Telnyx and Daily send to no others.
  return origin === 'null' ? protocol : origin + pathname;
}
