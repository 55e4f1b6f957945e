import type { NodeRedApi } from '../lib/node-red';
import { serveArchive } from './archive/serve-archive';
import { serveNow } from './serve-now';

/** What each tab of the sidebar needs in the runtime. */
const TABS: readonly ((RED: NodeRedApi) => void)[] = [serveNow, serveArchive];

/** Registers the routes of the sidebar. Called once, before any node is loaded. */
export function serveSidebar(RED: NodeRedApi): void {
  for (const serve of TABS) serve(RED);
}
