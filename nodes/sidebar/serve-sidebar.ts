import type { NodeRedApi } from '../lib/node-red';
import { serveArchive } from './archive/serve-archive';
import { serveDeliveries } from './deliveries/serve-deliveries';
import { NowFeed } from './now-feed';
import { serveNow } from './serve-now';

/** Registers what each tab of the sidebar needs in the runtime. Called once, before any node is loaded. */
export function serveSidebar(RED: NodeRedApi): void {
  const feed = new NowFeed(RED);
  serveNow(RED, feed);
  serveArchive(RED);
  serveDeliveries(RED, feed);
}
