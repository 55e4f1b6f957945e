import { routesOf } from '../../src/receiving/dispatcher';
import type { RouteTable } from '../../src/receiving/route-table';
import type { NodeRedApi } from './node-red';

/**
 * The route table of this Node-RED. Called when the package loads, so that the dispatcher stands before
 * the routes of any flow.
 */
export function deliveryRoutes(RED: NodeRedApi): RouteTable {
  return routesOf(RED.httpNode, (table) => {
    RED.events.on('flows:started', () => table.settle());
  });
}
