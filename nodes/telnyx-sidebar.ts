import type { NodeRedApi } from './lib/node-red';
import { serveSidebar } from './sidebar/serve-sidebar';

export = function (RED: NodeRedApi): void {
  RED.plugins.registerPlugin('telnyx-sidebar', { onadd: () => serveSidebar(RED) });
};
