import { monotonicNow } from '../src/clock/clocks';
import { DailyPace } from '../src/providers/daily/daily-pace';
import { ApiShare } from '../src/providers/http/api-pace';
import { withoutTrailingSlashes } from '../src/text/edges';
import { isUnsetVariable, parseDailySecrets } from '../src/verification/account-keys';
import { unsetSecrets } from './config/account-users';
import { DEFAULT_API_URLS } from './config/api-urls';
import { serveDailyAccountTest } from './config/dialog/account-test-route';
import { proxyOf, reportProxy } from './config/proxy-access';
import type { DailyAccountNode } from './config/daily-account-access';
import { createNode } from './lib/create-node';
import type { NodeConfig, NodeRedApi } from './lib/node-red';
import { afterStart } from './lib/on-flows-started';
import { readText } from './lib/read-setting';

interface DailyAccountConfig extends NodeConfig {
  apiUrl?: string;
  publicUrl?: string;
  proxy?: string;
}

export = function (RED: NodeRedApi): void {
  serveDailyAccountTest(RED);
  RED.nodes.registerType(
    'daily-account',
    function (this: DailyAccountNode, config: DailyAccountConfig) {
      createNode(RED, this, config);
      this.users = {};
      const share = new ApiShare();
      this.apiShare = share;
      const secret = (name: 'hmac' | 'apiKey'): string => readText(this.credentials?.[name]);
      const { secrets, problems } = parseDailySecrets(
        readText(secret('hmac'), process.env['DAILY_HMAC_SECRET'] ?? '')
      );
      const key = readText(secret('apiKey'), process.env['DAILY_API_KEY'] ?? '');
      const apiKey = key === '' || isUnsetVariable(key) ? null : key;
      this.dailyAccount = {
        secrets,
        secretProblems: problems,
        apiUrl: withoutTrailingSlashes(readText(config.apiUrl, DEFAULT_API_URLS.daily)),
        publicUrl: readText(config.publicUrl),
        apiKey: () => apiKey,
        proxy: proxyOf(RED, config.proxy),
        pace: new DailyPace(monotonicNow, () => share.ask())
      };
      // Without a key no request leaves.
      if (apiKey !== null) reportProxy(RED, this, this.dailyAccount.proxy);
      const faults = [...problems, ...unsetSecrets({ apiKey: 'API key' }, () => secret('apiKey'))];
      if (faults.length > 0) {
        afterStart(RED, this, () => {
          for (const fault of faults) this.error(fault, {});
        });
      }
    },
    { credentials: { hmac: { type: 'password' }, apiKey: { type: 'password' } } }
  );
};
