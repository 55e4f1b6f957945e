import { monotonicNow } from '../src/clock/clocks';
import { ApiShare } from '../src/providers/http/api-pace';
import { ServerPace } from '../src/providers/http/server-pace';
import { withoutTrailingSlashes } from '../src/text/edges';
import { isUnsetVariable, parsePublicKeys, parseSecrets } from '../src/verification/account-keys';
import { unsetSecrets } from './config/account-users';
import { DEFAULT_API_URLS } from './config/api-urls';
import { askedKeysOf, reportAskedKeys } from './config/asked-public-keys';
import { serveTelnyxAccountTest } from './config/dialog/account-test-route';
import { serveKnownKeys } from './config/dialog/known-keys-route';
import { proxyOf, reportProxy } from './config/proxy-access';
import { MEETING_CONTEXT } from './config/meetings/meeting-context';
import { meetingSecretsFrom } from './config/meetings/meeting-secrets';
import type { KeyOrigin, TelnyxAccountNode } from './config/telnyx-account-access';
import { createNode } from './lib/create-node';
import type { NodeConfig, NodeRedApi } from './lib/node-red';
import { afterStart } from './lib/on-flows-started';
import { readText } from './lib/read-setting';

interface TelnyxAccountConfig extends NodeConfig {
  publicKeys?: string;
  apiUrl?: string;
  publicUrl?: string;
  proxy?: string;
  meetingContext?: string;
}

const SECRETS = { apiKey: 'API key', meetingSecrets: 'Meetings', legacySecrets: 'API v1' } as const;
type SecretName = keyof typeof SECRETS;

/** As Node-RED leaves the variable that a blank field means, when it is not set: the field counts as blank, too. */
const UNSET = '${TELNYX_PUBLIC_KEY}';

export = function (RED: NodeRedApi): void {
  serveKnownKeys(RED);
  serveTelnyxAccountTest(RED);
  RED.nodes.registerType(
    'telnyx-account',
    function (this: TelnyxAccountNode, config: TelnyxAccountConfig) {
      createNode(RED, this, config);
      this.users = {};
      const share = new ApiShare();
      this.apiShare = share;
      const secret = (name: SecretName): string => readText(this.credentials?.[name]);
      const field = readText(config.publicKeys);
      const written = field === UNSET ? '' : field;
      const given = readText(written, readText(process.env['TELNYX_PUBLIC_KEY']));
      const { keys, problems } = parsePublicKeys(given);
      const key = readText(secret('apiKey'), process.env['TELNYX_API_KEY'] ?? '');
      const apiKey = key === '' || isUnsetVariable(key) ? null : key;
      const access = {
        apiUrl: withoutTrailingSlashes(readText(config.apiUrl, DEFAULT_API_URLS.telnyx)),
        apiKey: () => apiKey,
        proxy: proxyOf(RED, config.proxy),
        pace: new ServerPace(monotonicNow, () => share.ask())
      };
      const askedKeys = given === '' && apiKey !== null ? askedKeysOf(RED, access) : null;
      const keyOrigin: KeyOrigin = askedKeys !== null ? 'api' : written !== '' ? 'account' : 'environment';
      this.telnyxAccount = {
        ...access,
        publicUrl: readText(config.publicUrl),
        keyOrigin,
        askedKeys,
        keys: {
          publicKeys: keys,
          meetingSecrets: parseSecrets(secret('meetingSecrets')),
          meetingSecretsOf: meetingSecretsFrom(RED, this, readText(config.meetingContext ?? MEETING_CONTEXT)),
          legacySecrets: parseSecrets(secret('legacySecrets'))
        },
        keyProblems: problems
      };
      if (askedKeys !== null) reportAskedKeys(RED, this, askedKeys);
      // Without a key no request leaves.
      if (apiKey !== null) reportProxy(RED, this, access.proxy);
      const faults = [...problems, ...unsetSecrets(SECRETS, secret)];
      if (faults.length > 0) {
        afterStart(RED, this, () => {
          for (const fault of faults) this.error(fault, {});
        });
      }
    },
    {
      credentials: {
        apiKey: { type: 'password' },
        meetingSecrets: { type: 'password' },
        legacySecrets: { type: 'password' }
      }
    }
  );
};
