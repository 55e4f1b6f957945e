import { checkRedis } from '../../../src/sharing/redis-check';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { NodeRedApi } from '../../lib/node-red';
import type { TestFinding } from '../dialog/test-finding';
import { readQueue } from './queue-settings';
import { QUEUE_TEST_PATH } from './queue-test-request';

/** Between two tests. */
const PAUSE_MS = 1000;

/** Serves the button that tests the Redis of a queue, deployed or not. */
export function serveQueueTest(RED: NodeRedApi): void {
  serveDialogAction<{ findings: TestFinding[] }>(RED, {
    path: QUEUE_TEST_PATH,
    pauseMs: PAUSE_MS,
    failed: 'The test itself failed.',
    run: async (values) => {
      const node = deployedNode(RED, 'telnyx-queue', values.text('id'));
      const { encryptionKey, ...redis } = readQueue(
        { url: values.setting('url', node), prefix: values.setting('prefix', node) },
        {
          password: values.password('password', node),
          encryptionKey: values.password('encryptionKey', node)
        }
      );
      return { findings: await checkRedis({ redis, isSealed: encryptionKey !== null }) };
    }
  });
}
