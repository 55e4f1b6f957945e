import type { NodeRedApi } from '../lib/node-red';

/** What each tab of the sidebar needs in the runtime. */
const TABS: readonly ((RED: NodeRedApi) => void)[] = [];

/** Registers the routes of the sidebar. Called once, before any node is loaded. */
export function serveSidebar(RED: NodeRedApi): void {
  for (const serve of TABS) serve(RED);
}
