import { serveRead } from '../../admin/admin-route';
import type { NodeRedApi } from '../../lib/node-red';
import { lastDeliveryOf } from '../../webhook/webhook-receivers';
import { WEBHOOK_FACTS_PATH, type WebhookFacts } from './webhook-facts';

/** Serves what the dialogs of the webhook nodes show of deployed nodes. @param now milliseconds, monotonic */
export function serveWebhookFacts(RED: NodeRedApi, now: () => number = () => performance.now()): void {
  serveRead<WebhookFacts>(RED, {
    path: WEBHOOK_FACTS_PATH,
    permission: 'flows.read',
    failed: 'Node-RED could not say when the last delivery came.',
    run: (asked) => {
      const last = lastDeliveryOf(RED, asked.text('id', 100));
      const ago = (moment: number | null | undefined): number | null =>
        typeof moment === 'number' ? Math.max(0, Math.round(now() - moment)) : null;
      const port = Number(RED.settings.uiPort);
      return {
        isRunning: last !== null,
        receivedMsAgo: ago(last?.received),
        refusedMsAgo: ago(last?.refused),
        port: Number.isInteger(port) && port > 0 ? port : null
      };
    }
  });
}
