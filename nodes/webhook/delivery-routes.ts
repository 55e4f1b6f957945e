import { rootCause } from '../../src/errors/root-cause';
import { routesOf } from '../../src/webhook/express/dispatcher';
import { corsHandlersOf, handlersOf, type OwnerMiddleware } from '../../src/webhook/express/owner-middleware';
import type { RouteTable } from '../../src/webhook/express/route-table';
import type { NodeRedApi } from '../lib/node-red';

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
  return routesOf(RED.httpNode, settle, guarded ? undefined : { httpAdmin }, ownerMiddleware(RED));
}

/** Milliseconds between two lines of the log: a stranger must not fill it. */
const LOG_INTERVAL_MS = 10_000;

/** `httpNodeMiddleware` and `httpNodeCors` stand before our addresses as before those of core *http in*. */
function ownerMiddleware(RED: NodeRedApi): OwnerMiddleware {
  let said = -Infinity;
  return {
    handlers: () => {
      const { httpNodeMiddleware, httpNodeCors } = RED.settings;
      const handlers = handlersOf(httpNodeMiddleware);
      return httpNodeCors ? [...handlers, ...corsHandlersOf(RED.httpNode)] : handlers;
    },
    onFault: (fault) => {
      if (performance.now() - said < LOG_INTERVAL_MS) return;
      said = performance.now();
      RED.log.error(
        'A delivery did not get past the middleware in settings.js (httpNodeMiddleware); its sender was asked to ' +
          `try again. The middleware said: ${rootCause(fault)}`
      );
    }
  };
}
