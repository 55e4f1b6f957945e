import { CodedError } from '../src/errors/coded-error';
import {
  readQueue,
  type QueueConfig,
  type QueueSettings,
  type TelnyxQueueNode
} from './config/queue/queue-access';
import { serveQueueTest } from './config/queue/queue-test-route';
import { createNode } from './lib/create-node';
import type { NodeRedApi } from './lib/node-red';
import { afterStart } from './lib/on-flows-started';

export = function (RED: NodeRedApi): void {
  serveQueueTest(RED);
  RED.nodes.registerType(
    'telnyx-queue',
    function (this: TelnyxQueueNode, config: QueueConfig) {
      createNode(RED, this, config);
      const read = (): QueueSettings => readQueue(config, this.credentials);
      this.telnyxQueue = read;
      try {
        read();
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        afterStart(RED, this, () => this.error(error, {}));
      }
    },
    {
      credentials: {
        password: { type: 'password' },
        encryptionKey: { type: 'password' }
      }
    }
  );
};
