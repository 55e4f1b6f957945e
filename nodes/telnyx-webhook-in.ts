import { CodedError } from '../src/errors/coded-error';
import { parseTelnyxDelivery } from '../src/events/reading/parse-telnyx';
import { TelnyxVerifier } from '../src/verification/telnyx-verifier';
import { type TelnyxAccount, telnyxAccountOf } from './config/telnyx-account-access';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { readBoolean } from './lib/read-setting';
import { DEFAULT_PATH, TOLERANCE } from './webhook/webhook-fields';
import { type WebhookNodeConfig, startWebhookNode } from './webhook/webhook-node';
import { deliveryRoutes } from './webhook/webhook-runtime';

interface TelnyxWebhookInConfig extends WebhookNodeConfig {
  acceptGet?: boolean;
}

const NO_KEYS = { publicKeys: [], meetingSecrets: [], legacySecrets: [] };

export = function (RED: NodeRedApi): void {
  deliveryRoutes(RED);

  RED.nodes.registerType('telnyx-webhook-in', function (this: RedNode, config: TelnyxWebhookInConfig) {
    RED.nodes.createNode(this, config);
    const account = telnyxAccountOf(RED, config.account, this);
    const problem = problemOf(account);
    const status = problem?.code === 'BAD_PUBLIC_KEY' ? 'bad-key' : 'no-public-key';
    startWebhookNode(RED, this, config, {
      defaultPath: DEFAULT_PATH.telnyx,
      tolerance: TOLERANCE.telnyx,
      acceptGet: readBoolean(config.acceptGet, false),
      offersGet: true,
      parse: parseTelnyxDelivery,
      verifier: (tolerance) => new TelnyxVerifier(account?.keys ?? NO_KEYS, tolerance),
      problem,
      problemStatus: RED._(`telnyx-webhook-in.status.${status}`)
    });
  });
};

function problemOf(account: TelnyxAccount | null): CodedError | null {
  const advice =
    'Copy the public key from the Telnyx portal (Keys & Credentials, Public Key) into the account, or set ' +
    'the environment variable TELNYX_PUBLIC_KEY. Until then every delivery is answered with 503.';
  if (account === null) {
    return new CodedError('NO_PUBLIC_KEY', `No Telnyx account is chosen, or it is disabled. ${advice}`);
  }
  const { publicKeys, meetingSecrets, legacySecrets } = account.keys;
  if (publicKeys.length + meetingSecrets.length + legacySecrets.length > 0) return null;
  const [bad] = account.keyProblems;
  if (bad === undefined) {
    return new CodedError('NO_PUBLIC_KEY', `The Telnyx account has no public key. ${advice}`);
  }
  return new CodedError(bad.code, `${bad.message} Until then every delivery is answered with 503.`);
}
