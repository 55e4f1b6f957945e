import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { CodedError } from '../../src/errors/coded-error';
import { rootCause } from '../../src/errors/root-cause';
import { type OwnerMiddleware, corsHandlersOf, handlersOf } from '../../src/webhook/express/express-app';
import type { StateDatabase } from '../../src/state/state-database';
import { type RouteTable, routesOf } from '../../src/webhook/express/routes';
import type { DeliveryJournal } from '../../src/webhook/journal/delivery-journal';
import { LmdbJournal } from '../../src/webhook/journal/lmdb-journal';
import type { NodeRedApi } from '../lib/node-red';
import { HandOvers } from './hand-overs';
import { ownedState, stateDatabase, stateDirectory } from '../lib/state';

/**
 * The route table of this Node-RED. Called when the package loads, so that the dispatcher stands before
 * the routes of any flow.
 */
export function deliveryRoutes(RED: NodeRedApi): RouteTable {
  handOvers(RED);
  const settle = (table: RouteTable): void => {
    RED.events.on('flows:started', () => table.settle(databaseFor(RED, table)));
  };
  const { httpAdminRoot, httpAdminMiddleware, httpAdminAuth } = RED.settings;
  // What the owner put in front of the admin app may be meant for everything below its root.
  const guarded = httpAdminMiddleware !== undefined || httpAdminAuth !== undefined;
  const httpAdmin = httpAdminRoot === false ? undefined : RED.httpAdmin;
  return routesOf(RED.httpNode, settle, guarded ? undefined : { httpAdmin }, ownerMiddleware(RED));
}

/** Opened for what is of use only: not where none of these nodes has ever been. */
function databaseFor(RED: NodeRedApi, { size }: RouteTable): StateDatabase | null {
  try {
    return size > 0 || existsSync(stateDirectory(RED)) ? stateDatabase(RED) : null;
  } catch {
    // The webhook nodes report its faults.
    return null;
  }
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

/** Milliseconds between two rounds of forgetting. */
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;

const journals = new Map<string, DeliveryJournal>();

/**
 * The one journal of this Node-RED. It outlives redeploys, as the nodes do not. While its directory cannot
 * be written, or is another process's, nothing is accepted; every delivery tries again.
 */
export function deliveryJournal(RED: NodeRedApi): DeliveryJournal {
  const directory = stateDirectory(RED);
  const open = (): DeliveryJournal => {
    const journal = journals.get(directory) ?? openJournal(RED);
    const { problem } = ownedState(RED);
    if (problem !== null) throw problem;
    journals.set(directory, journal);
    return journal;
  };
  return {
    find: (scope, id) => open().find(scope, id),
    accept: (delivery) => open().accept(delivery),
    remember: (scope, id, answer) => open().remember(scope, id, answer),
    pending: (scope) => open().pending(scope),
    written: async () => journals.get(directory)?.written()
  };
}

function openJournal(RED: NodeRedApi): DeliveryJournal {
  try {
    const journal = new LmdbJournal(stateDatabase(RED));
    // Old entries only take up room; what cannot be removed now is tried again in an hour.
    const forget = (work: Promise<void>): void => void work.catch(() => undefined);
    setInterval(() => {
      forget(journal.forgetIdentities());
      forget(journal.forgetPending());
    }, SWEEP_INTERVAL_MS).unref();
    forget(journal.forgetIdentities());
    return journal;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(
      'NOT_RECORDED',
      `The state directory ${stateDirectory(RED)} cannot be written, so no delivery is accepted. Look at its ` +
        'permissions and at the free space.',
      { cause, retryable: true }
    );
  }
}

const handOversOf = new WeakMap<EventEmitter, HandOvers>();

/** The one watch over hand-overs of this Node-RED. Called when the package loads, before any node listens for the start. */
export function handOvers(RED: NodeRedApi): HandOvers {
  const known = handOversOf.get(RED.events);
  if (known !== undefined) return known;
  const added = new HandOvers(RED);
  handOversOf.set(RED.events, added);
  return added;
}
