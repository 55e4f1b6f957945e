import type { Ask } from '../../http/patient-request';
import { type HealthQuery, plainUrl, type WebhookProblem } from '../../webhook-health';
import { listDailyWebhooks } from './daily-webhooks';

/**
 * Looks for webhooks to this Node-RED that Daily has ended.
 *
 * @throws CodedError as `listDailyWebhooks`
 */
export async function failedWebhooks(
  ask: Ask,
  { isOurs }: Pick<HealthQuery, 'isOurs'>
): Promise<WebhookProblem[]> {
  const found = await listDailyWebhooks(ask);
  return found.flatMap(({ webhook: { url, state, failed_count, last_pushed } }) => {
    const isEnded = state === 'failed' || state === 'inactive';
    if (!isEnded || url === null || !isOurs(url)) return [];
    const message =
      'Daily sends nothing to this Node-RED any more: the state of the webhook is FAILED or INACTIVE. Open the daily webhook node, ' +
      'press "Show webhooks at Daily" and "Activate again", then run a recording list: what happened meanwhile is not sent again.';
    const problem = 'webhook-failed' as const;
    const [failed, last] = [failed_count, last_pushed];
    return [{ provider: 'daily', problem, url: plainUrl(url), failed, complete: true, last, message }];
  });
}
