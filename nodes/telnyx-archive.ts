import type { ArchiveConfig } from './archive/archive-settings';
import { startArchiveNode } from './archive/archive-node';
import { createNode } from './lib/create-node';
import type { NodeRedApi, RedNode } from './lib/node-red';

export = function (RED: NodeRedApi): void {
  RED.nodes.registerType('telnyx-archive', function (this: RedNode, config: ArchiveConfig) {
    createNode(RED, this, config);
    startArchiveNode(RED, this, config);
  });
};
