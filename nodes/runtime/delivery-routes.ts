import { routesOf } from '../../src/receiving/dispatcher';
import type { RouteTable } from '../../src/receiving/route-table';
import type { NodeRedApi } from './node-red';

/**
 * The route table of this Node-RED. Called when the package loads, so that the dispatcher stands before
 * the routes of any flow.
 */
export function deliveryRoutes(RED: NodeRedApi): RouteTable {
  const settle = (table: RouteTable): void => {
    RED.events.on('flows:started', () => table.settle());
  };
  const { httpAdminRoot, httpAdminMiddleware, httpAdminAuth } = RED.settings;
  // What the owner put in front of the admin app may be meant for everything below its root.
  const guarded = httpAdminMiddleware !== undefined || httpAdminAuth !== undefined;
  const httpAdmin = httpAdminRoot === false ? undefined : RED.httpAdmin;
  return routesOf(RED.httpNode, settle, guarded ? undefined : { httpAdmin });
}
