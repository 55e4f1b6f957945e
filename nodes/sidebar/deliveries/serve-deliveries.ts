import { type AdminRoute, requestTurns, serveRead, serveWrite } from '../../admin/admin-route';
import type { NodeRedApi } from '../../lib/node-red';
import { activityOf } from '../activity';
import type { NowFeed } from '../now-feed';
import {
  DETAILS_PATH,
  type DeliveriesReply,
  type DetailsReply,
  MOST_REPLAYED,
  REPLAY_PATH,
  type ReplayStatus,
  SEARCH_PATH,
  START_PATH,
  STOP_PATH
} from './deliveries-request';
import { DeliveryReader } from './delivery-reader';
import { ReplayRun } from './replay-run';

const READS: Pick<AdminRoute<object>, 'permission' | 'failed'> = {
  permission: 'telnyx.read',
  failed: 'The delivery log could not be read. The log of Node-RED says more.'
};

const CHANGES: Pick<AdminRoute<object>, 'permission' | 'failed'> = {
  permission: 'flows.write',
  failed: 'The replay could not be changed.'
};

/** One at a time: each takes all the time that it may. */
const SEARCH_TURNS = { atOnce: 1, ofOwner: 1, waiting: 20 };

/** Registers the routes of the tab *Deliveries*: search, details, replay. */
export function serveDeliveries(RED: NodeRedApi, feed: Pick<NowFeed, 'watch'>): void {
  const reader = new DeliveryReader(RED);
  const replay = new ReplayRun(RED);
  // They change nothing; but what is searched for does not belong into the logs of proxies, as part of an address.
  serveWrite<DeliveriesReply>(RED, {
    ...READS,
    path: SEARCH_PATH,
    turns: requestTurns(SEARCH_TURNS),
    run: async (asked, { signal }) => {
      // The editor is told of what comes, as long as it asks.
      feed.watch(activityOf(RED).deliveries.seq);
      return { ...(await reader.search(asked, signal)), replay: replay.status };
    }
  });
  serveWrite<DetailsReply>(RED, { ...READS, path: DETAILS_PATH, run: (asked) => reader.details(asked) });
  serveRead<ReplayStatus>(RED, { ...READS, path: REPLAY_PATH, run: () => replay.status });
  serveWrite<ReplayStatus>(RED, {
    ...CHANGES,
    path: START_PATH,
    run: (asked, { user }) => replay.start(asked.texts('ids', MOST_REPLAYED), user)
  });
  serveWrite<ReplayStatus>(RED, {
    ...CHANGES,
    path: STOP_PATH,
    run: () => {
      replay.stop('stopped');
      return replay.status;
    }
  });
}
