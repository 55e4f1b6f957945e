import { serveRead, serveWrite } from '../admin/admin-route';
import type { NodeRedApi } from '../lib/node-red';
import { changeGivenUp, givenUpPage } from './given-up';
import { NowFeed } from './now-feed';
import {
  DISCARD_PATH,
  GIVEN_UP_PATH,
  type GivenUpPage,
  type GivenUpReply,
  MOST_ROWS,
  NOW_PATH,
  type NowSnapshot,
  RETRY_PATH
} from './now-request';
import { nowSnapshot } from './now-snapshot';

/** The routes of the tab "Now". */
export function serveNow(RED: NodeRedApi, feed = new NowFeed(RED)): void {
  serveRead<NowSnapshot>(RED, {
    path: NOW_PATH,
    permission: 'flows.read',
    failed: 'What happens now could not be read. The log of Node-RED says more.',
    run: async () => {
      const snapshot = await nowSnapshot(RED);
      feed.watch(snapshot.seq);
      return snapshot;
    }
  });
  serveRead<GivenUpPage>(RED, {
    path: GIVEN_UP_PATH,
    permission: 'flows.read',
    failed: 'The list could not be read.',
    run: (asked) =>
      givenUpPage(RED, { skip: asked.number('skip', { min: 0, max: 100_000, fallback: 0 }), most: MOST_ROWS })
  });
  const changes = [
    [RETRY_PATH, 'retry'],
    [DISCARD_PATH, 'discard']
  ] as const;
  for (const [path, what] of changes)
    serveWrite<GivenUpReply>(RED, {
      path,
      permission: 'flows.write',
      failed: 'The list could not be changed.',
      run: (asked) => changeGivenUp(RED, what, asked.texts('recordings', MOST_ROWS))
    });
}
