import { monotonicNow } from '../src/clock/clocks';
import { CodedError } from '../src/errors/coded-error';
import type { RedisConnection } from '../src/sharing/redis-connection';
import { keepAbandonedTidy } from './config/queue/abandoned-jobs';
import type { TelnyxQueueNode } from './config/queue/queue-access';
import { readQueue, type QueueConfig } from './config/queue/queue-settings';
import { serveQueueTest } from './config/queue/queue-test-route';
import { SharedQueue } from './config/queue/shared-queue';
import { createNode } from './lib/create-node';
import type { NodeRedApi, RedNode } from './lib/node-red';
import { inBackground, onClose } from './lib/on-input';
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
      let stop = (): void => undefined;
      this.telnyxQueue = () => {
        if (shared === undefined) {
          shared = new SharedQueue(read(), ownIdentity(RED).instance);
          stop = reportAway(this, shared.connection);
        }
        return shared;
      };
      keepAbandonedTidy(RED, this, this.telnyxQueue);
      onClose(this, () => {
        stop();
        return shared?.close();
      });
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

/** A Redis that starts together with Node-RED needs a moment. Milliseconds. */
const FIRST_ANSWER_MS = 5000;
/** Between two reports, when the connection comes and goes. Milliseconds. */
const QUIET_MS = 60_000;

/** Reports when Redis cannot be reached, and when it answers again. @returns the function that stops it */
function reportAway(node: RedNode, connection: RedisConnection): () => void {
  let reported = -Infinity;
  let isStopped = false;
  const report = (): void => {
    if (isStopped || monotonicNow() - reported < QUIET_MS) return;
    reported = monotonicNow();
    node.error(connection.away(), {});
  };
  const stops = [
    connection.on('away', report),
    connection.on('back', () => {
      reported = -Infinity;
      node.log(`Redis (${connection.address.shown}) answers.`);
    })
  ];
  inBackground(node, async () => {
    if (!(await connection.ready(FIRST_ANSWER_MS))) report();
  });
  return () => {
    isStopped = true;
    for (const stop of stops) stop();
  };
}
