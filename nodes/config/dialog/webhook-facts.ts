/** Below the admin root: what the dialog of a webhook node shows of the deployed node. */
export const WEBHOOK_FACTS_PATH = '/telnyx-webhook-in/facts';

export interface WebhookFacts {
  /** Whether the node is deployed, and neither it nor its flow is disabled. */
  isRunning: boolean;
  /** Milliseconds since its last delivery; null: none since it was deployed. */
  receivedMsAgo: number | null;
  /** Milliseconds since the last one that it refused. */
  refusedMsAgo: number | null;
  /** The port at which Node-RED listens; null: unknown. */
  port: number | null;
}
