import { CodedError } from '../src/errors/coded-error';
import type { BucketSettings } from '../src/store/bucket/client/settings';
import { createNode } from './lib/create-node';
import { afterStart } from './lib/on-flows-started';
import { readBucket, type BucketConfig, type TelnyxBucketNode } from './config/bucket/bucket-access';
import { serveBucketTest } from './config/bucket/bucket-test-route';
import { proxyOf } from './config/proxy-access';
import type { NodeRedApi } from './lib/node-red';

export = function (RED: NodeRedApi): void {
  serveBucketTest(RED);
  RED.nodes.registerType(
    'telnyx-bucket',
    function (this: TelnyxBucketNode, config: BucketConfig) {
      createNode(RED, this, config);
      const read = (): BucketSettings => readBucket(config, this.credentials, proxyOf(RED, config.proxy));
      this.telnyxBucket = read;
      // The proxy may be created after the bucket.
      afterStart(RED, this, () => {
        try {
          read();
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          this.error(error, {});
        }
      });
    },
    {
      credentials: {
        accessKeyId: { type: 'text' },
        secretAccessKey: { type: 'password' }
      }
    }
  );
};
