import { parseDailySecrets } from '../src/verification/daily-secrets';
import { afterStart } from './runtime/after-start';
import type { DailyAccountNode } from './runtime/daily-account-access';
import type { NodeConfig, NodeRedApi } from './runtime/node-red';
import { readText } from './runtime/read-setting';

interface DailyAccountConfig extends NodeConfig {
  apiUrl?: string;
}

const DEFAULT_API_URL = 'https://api.daily.co/v1';

export = function (RED: NodeRedApi): void {
  RED.nodes.registerType(
    'daily-account',
    function (this: DailyAccountNode, config: DailyAccountConfig) {
      RED.nodes.createNode(this, config);
      const credential = (name: string, variable: string): string =>
        readText(this.credentials?.[name], process.env[variable] ?? '');
      const { secrets, problems } = parseDailySecrets(credential('hmac', 'DAILY_HMAC_SECRET'));
      this.dailyAccount = {
        secrets,
        apiUrl: readText(config.apiUrl, DEFAULT_API_URL).replace(/\/+$/, ''),
        apiKey: () => credential('apiKey', 'DAILY_API_KEY') || null
      };
      if (problems.length > 0) {
        afterStart(RED, this, () => {
          for (const problem of problems) this.error(problem, {});
        });
      }
    },
    { credentials: { hmac: { type: 'password' }, apiKey: { type: 'password' } } }
  );
};
