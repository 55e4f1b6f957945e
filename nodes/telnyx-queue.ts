import { CodedError } from '../src/errors/coded-error';
import type { TelnyxQueueNode } from './config/queue/queue-access';
import { readQueue, type QueueConfig } from './config/queue/queue-settings';
import { serveQueueTest } from './config/queue/queue-test-route';
import { SharedQueue } from './config/queue/shared-queue';
import { createNode } from './lib/create-node';
import type { NodeRedApi } from './lib/node-red';
import { onClose } from './lib/on-input';
import { afterStart } from './lib/on-flows-started';
import { ownIdentity } from './lib/state';

export = function (RED: NodeRedApi): void {
  serveQueueTest(RED);
  RED.nodes.registerType(
    'telnyx-queue',
    function (this: TelnyxQueueNode, config: QueueConfig) {
      createNode(RED, this, config);
      const read = () => readQueue(config, this.credentials);
      let shared: SharedQueue | undefined;
      this.telnyxQueue = () => (shared ??= new SharedQueue(read(), ownIdentity(RED).instance));
      onClose(this, () => shared?.close());
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
