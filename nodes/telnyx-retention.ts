import { CodedError } from '../src/errors/coded-error';
import { proxyOf } from './config/proxy-access';
import type { TelnyxRetentionNode } from './config/retention/retention-access';
import { readRetentionSettings, type RetentionConfig } from './config/retention/retention-settings';
import { createNode } from './lib/create-node';
import { stampCheckpoints } from './lib/custody';
import type { NodeRedApi } from './lib/node-red';
import { afterStart } from './lib/on-flows-started';

export = function (RED: NodeRedApi): void {
  RED.nodes.registerType('telnyx-retention', function (this: TelnyxRetentionNode, config: RetentionConfig) {
    createNode(RED, this, config);
    this.telnyxRetention = () => readRetentionSettings(config);
    try {
      const { timestampUrl } = this.telnyxRetention();
      if (timestampUrl !== null) stampCheckpoints(RED, this, { url: timestampUrl, proxy: proxyOf(RED, '') });
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      afterStart(RED, this, () => this.error(error, {}));
    }
  });
};
