import { CodedError } from '../src/errors/coded-error';
import { afterStart } from './lib/on-flows-started';
import { readBucket, type BucketConfig, type TelnyxBucketNode } from './config/bucket-access';
import { serveBucketTest } from './config/bucket-test-route';
import type { NodeRedApi } from './lib/node-red';

export = function (RED: NodeRedApi): void {
  serveBucketTest(RED);
  RED.nodes.registerType(
    'telnyx-bucket',
    function (this: TelnyxBucketNode, config: BucketConfig) {
      RED.nodes.createNode(this, config);
      this.telnyxBucket = () => readBucket(config, this.credentials);
      try {
        this.telnyxBucket();
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        afterStart(RED, this, () => this.error(error, {}));
      }
    },
    {
      credentials: {
        accessKeyId: { type: 'text' },
        secretAccessKey: { type: 'password' }
      }
    }
  );
};
