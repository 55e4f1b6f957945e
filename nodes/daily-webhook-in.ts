import { CodedError } from '../src/errors/coded-error';
import { isDailyProbeBody, parseDailyDelivery } from '../src/events/reading/parse-daily';
import { dailyProvider } from '../src/providers/daily/daily-provider';
import { DailyHmac } from '../src/verification/daily-hmac';
import { type DailyAccount, dailyAccountOf } from './config/daily-account-access';
import { serveDailyWebhooks } from './config/webhooks/daily-webhooks-route';
import { createNode } from './lib/create-node';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { serveSamples } from './samples/sample-route';
import { DEFAULT_PATH, TOLERANCE } from './webhook/webhook-fields';
import { type WebhookNodeConfig, startWebhookNode } from './webhook/webhook-node';
import { deliveryRoutes } from './webhook/webhook-runtime';

export = function (RED: NodeRedApi): void {
  deliveryRoutes(RED);
  serveDailyWebhooks(RED);
  serveSamples(RED, 'daily-webhook-in');

  RED.nodes.registerType('daily-webhook-in', function (this: RedNode, config: WebhookNodeConfig) {
    createNode(RED, this, config);
    const account = dailyAccountOf(RED, config.account, this);
    const problem = problemOf(account);
    const status = problem?.code === 'BAD_PUBLIC_KEY' ? 'bad-key' : 'no-secret';
    startWebhookNode(RED, this, config, {
      defaultPath: DEFAULT_PATH.daily,
      tolerance: TOLERANCE.daily,
      acceptGet: false,
      offersGet: false,
      parse: parseDailyDelivery,
      isProbe: isDailyProbeBody,
      verifier: (tolerance) => new DailyHmac(account?.secrets ?? [], tolerance),
      problem,
      watched: { definition: dailyProvider, account },
      problemStatus: RED._(`daily-webhook-in.status.${status}`)
    });
  });
};

function problemOf(account: DailyAccount | null): CodedError | null {
  if (account !== null && account.secrets.length > 0) return null;
  const [bad] = account?.secretProblems ?? [];
  if (bad !== undefined) {
    return new CodedError(bad.code, `${bad.message} Until then every delivery is answered with 503.`);
  }
  const what =
    account === null ? 'No Daily account is chosen, or it is disabled.' : 'The Daily account has no secret.';
  return new CodedError(
    'NO_PUBLIC_KEY',
    `${what} Register the webhook with the command that the account's dialog shows, and copy the "hmac" of ` +
      'Daily\'s answer into the account\'s "Secret", or set the environment variable DAILY_HMAC_SECRET. Until ' +
      'then every delivery is answered with 503.'
  );
}
