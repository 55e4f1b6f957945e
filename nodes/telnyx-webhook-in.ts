import { CodedError } from '../src/errors/coded-error';
import { parseTelnyxDelivery } from '../src/events/reading/parse-telnyx';
import { AskedKeyVerifier } from '../src/verification/asked-key-verifier';
import { telnyxProvider } from '../src/providers/telnyx/telnyx-provider';
import { TelnyxVerifier } from '../src/verification/telnyx-verifier';
import { useAskedKeys } from './config/asked-public-keys';
import { serveWebhookFacts } from './config/dialog/webhook-facts-route';
import { type TelnyxAccount, telnyxAccountOf } from './config/telnyx-account-access';
import { serveTelnyxWebhooks } from './config/webhooks/telnyx-webhooks-route';
import { createNode } from './lib/create-node';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { statusTexts } from './lib/node-status';
import { readBoolean } from './lib/read-setting';
import { serveSamples } from './samples/sample-route';
import { DEFAULT_PATH, TOLERANCE } from './webhook/webhook-fields';
import { statusOfKeys } from './webhook/status-of-keys';
import { type WebhookNodeConfig, startWebhookNode } from './webhook/webhook-node';
import { deliveryRoutes } from './webhook/webhook-runtime';

interface TelnyxWebhookInConfig extends WebhookNodeConfig {
  acceptGet?: boolean;
}

const NO_KEYS = { publicKeys: [], meetingSecrets: [], legacySecrets: [] };

export = function (RED: NodeRedApi): void {
  deliveryRoutes(RED);
  serveTelnyxWebhooks(RED);
  serveWebhookFacts(RED);
  serveSamples(RED, 'telnyx-webhook-in');

  RED.nodes.registerType('telnyx-webhook-in', function (this: RedNode, config: TelnyxWebhookInConfig) {
    createNode(RED, this, config);
    const account = telnyxAccountOf(RED, config.account, this);
    const problem = problemOf(account);
    const { askedKeys = null, keys = NO_KEYS } = account ?? {};
    if (account && askedKeys) useAskedKeys(RED, this, askedKeys, account);
    const status = problem?.code === 'BAD_PUBLIC_KEY' ? 'bad-key' : 'no-public-key';
    startWebhookNode(RED, this, config, {
      defaultPath: DEFAULT_PATH.telnyx,
      tolerance: TOLERANCE.telnyx,
      acceptGet: readBoolean(config.acceptGet, false),
      offersGet: true,
      parse: parseTelnyxDelivery,
      verifier: (tolerance) =>
        askedKeys ? new AskedKeyVerifier(askedKeys, keys, tolerance) : new TelnyxVerifier(keys, tolerance),
      problem,
      watched: { definition: telnyxProvider, account },
      ...(account && { keys: statusOfKeys(account, statusTexts(RED, this.type)) }),
      problemStatus: RED._(`telnyx-webhook-in.status.${status}`)
    });
  });
};

function problemOf(account: TelnyxAccount | null): CodedError | null {
  const advice =
    'Put an API key into the account, with which Telnyx is asked for the public key; or copy the public key from the ' +
    'Telnyx portal (Keys & Credentials, Public Key) into the account, or set the environment variable ' +
    'TELNYX_PUBLIC_KEY. Until then every delivery is answered with 503.';
  if (account === null) {
    return new CodedError('NO_PUBLIC_KEY', `No Telnyx account is chosen, or it is disabled. ${advice}`);
  }
  const { publicKeys, meetingSecrets, legacySecrets } = account.keys;
  if (account.askedKeys !== null) return null;
  if (publicKeys.length + meetingSecrets.length + legacySecrets.length > 0) return null;
  const [bad] = account.keyProblems;
  if (bad === undefined) {
    return new CodedError('NO_PUBLIC_KEY', `The Telnyx account has no public key. ${advice}`);
  }
  return new CodedError(bad.code, `${bad.message} Until then every delivery is answered with 503.`);
}
