import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StateDatabase } from '../../state/state-database';
import type { DeliveryReceiver, FoundRoute } from '../endpoint/delivery-receiver';
import { answer } from '../endpoint/http-responses';
import { installCapture, takeBody } from './body-capture';
import {
  type ExpressApp,
  FastPath,
  type Middleware,
  type OwnerMiddleware,
  runHandlers,
  stackOf
} from './express-app';
import { RemovedPaths, type RemovedPathsOptions } from './removed-paths';
import { comparablePath } from './route-path';

/** One table for all copies of the package that share an Express app; the number is the version of its layout. */
const TABLE = Symbol.for('@red-telephony/node-red-telnyx/routes/2');

const NO_MIDDLEWARE: OwnerMiddleware = { handlers: () => [], onFault: () => undefined };

/** Headers that only a provider's delivery carries. */
const SIGNATURE_HEADERS = [
  'telnyx-signature-ed25519',
  'x-telnyx-signature',
  'x-meeting-bot-signature',
  'x-webhook-signature'
] as const;

/**
 * The one route table of an app. The first call adds the capture at the front and one permanent dispatcher
 * to the app. Nodes come and go in the table, never in Express, so a redeploy does not have to edit its
 * stack and leaves no dead route behind.
 *
 * @param httpNode `RED.httpNode`
 * @param onNew called once per app, to connect the table with the runtime's events
 * @param shortCut lets deliveries skip both apps if nothing is in between (see `FastPath`); omitted when
 *   that cannot be known
 * @param owner what every delivery passes through before it is received
 */
export function routesOf(
  httpNode: ExpressApp,
  onNew: (table: RouteTable) => void,
  shortCut?: { httpAdmin: ExpressApp | undefined },
  owner: OwnerMiddleware = NO_MIDDLEWARE
): RouteTable {
  const holder = httpNode as ExpressApp & { [TABLE]?: RouteTable };
  const existing = holder[TABLE];
  if (existing !== undefined) return existing;
  const gone = askToTryAgain((path) => table.isRemoved(path));
  const table = new RouteTable({ onSettled: () => putLast(httpNode, gone) });
  Object.defineProperty(holder, TABLE, { value: table });
  const dispatcher = dispatch(table, owner);
  const way = shortCut && new FastPath({ httpNode, dispatcher, owner, ...shortCut });
  installCapture(
    httpNode,
    (path) => table.find(path),
    (root) => way?.from(root) ?? false
  );
  httpNode.use(dispatcher);
  httpNode.use(gone);
  onNew(table);
  return table;
}

/** Comes after all routes, so that whatever serves the path now, such as core *http in*, takes precedence. */
function askToTryAgain(isRemoved: (path: string) => boolean): Middleware {
  return function telnyxRemovedPath(request, response, next) {
    if (isRemoved(request.url ?? '/')) answer(request, response, 503);
    else next();
  };
}

/** Needed again after each start, because nodes add their routes then. */
function putLast(app: ExpressApp, layer: Middleware): void {
  const stack = stackOf(app) ?? [];
  const index = stack.findIndex(({ handle }) => handle === layer);
  if (index !== -1) stack.push(...stack.splice(index, 1));
}

function dispatch(table: RouteTable, owner: OwnerMiddleware): Middleware {
  return function telnyxDispatcher(request, response, next) {
    const route = table.find(request.url ?? '/');
    if (route === undefined) {
      // Until the flows have started, it is unknown whose path this is: a provider is asked to wait.
      if (!table.settled && isDelivery(request)) answer(request, response, 503);
      else next();
      return;
    }
    const { receiver } = route;
    if (receiver === null) {
      answer(request, response, 503);
      return;
    }
    const receive = (): void => {
      takeBody(request, receiver.maxBody, (body) => receiver.receive(request, response, body));
    };
    const handlers = owner.handlers();
    if (handlers.length === 0) return receive();
    runHandlers(handlers, request, response, {
      passed: receive,
      left: () => next(),
      failed: (fault) => {
        owner.onFault(fault);
        tryAgain(request, response);
      }
    });
  };
}

/** An answer that a handler has begun cannot be replaced; a broken connection tells the sender so. */
function tryAgain(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent && !response.writableEnded) request.socket.destroy();
  else answer(request, response, 503);
}

function isDelivery(request: IncomingMessage): boolean {
  return SIGNATURE_HEADERS.some((name) => request.headers[name] !== undefined);
}

/** The result of a node's request to listen on a path. */
interface Claim {
  /** Whether this claim's receiver serves the path now. */
  readonly serving: boolean;
  /** The id of the node that serves the path instead, when this one does not. */
  readonly heldBy: string | null;
  /** Gives the path back. Until the next `settle` senders get "try again", not "not found". */
  release(): void;
}

interface Waiting {
  ownerId: string;
  receiver: DeliveryReceiver;
  onServing: () => void;
}

interface Route {
  holder: Waiting | null;
  queue: Waiting[];
}

export interface RouteTableOptions extends RemovedPathsOptions {
  onSettled?: () => void;
}

/**
 * Which node serves which path. A path without a live node stays known until the flows have started again, and counts
 * as removed for ten more minutes, so that a deploy never shows a sender "404", which most of them take as final.
 */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #removed: RemovedPaths;
  readonly #onSettled: () => void;
  #settled = false;

  constructor({ onSettled = () => undefined, ...clocks }: RouteTableOptions = {}) {
    this.#removed = new RemovedPaths(clocks);
    this.#onSettled = onSettled;
  }

  /** False until the flows have started for the first time. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Asks for a path. The first node to ask serves it; later ones wait, and the one that has waited longest
   * takes over when the path is free after a deploy.
   *
   * @param path below the root of the flows' URLs
   * @param onServing called when a waiting claim takes over
   */
  claim(path: string, ownerId: string, receiver: DeliveryReceiver, onServing: () => void): Claim {
    const key = comparablePath(path);
    const route = this.#routes.get(key) ?? { holder: null, queue: [] };
    this.#routes.set(key, route);
    const own: Waiting = { ownerId, receiver, onServing };
    if (route.holder === null) route.holder = own;
    else route.queue.push(own);
    return {
      get serving() {
        return route.holder === own;
      },
      get heldBy() {
        return route.holder === own ? null : (route.holder?.ownerId ?? null);
      },
      release: () => {
        if (route.holder === own) route.holder = null;
        route.queue = route.queue.filter((waiting) => waiting !== own);
      }
    };
  }

  /** @param path below the root of the flows' URLs, in any spelling */
  find(path: string): FoundRoute | undefined {
    const route = this.#routes.get(comparablePath(path));
    return route && { receiver: route.holder?.receiver ?? null };
  }

  /** Number of paths. */
  get size(): number {
    return this.#routes.size;
  }

  /** Whether a deploy within the last ten minutes removed a path. @param path as for `find` */
  isRemoved(path: string): boolean {
    return this.#removed.has(comparablePath(path));
  }

  /**
   * To be called when the flows have started: removes paths that no node serves any more, and lets waiting claims take
   * over.
   *
   * @param database keeps the removed ones for the next start; null when it cannot be used
   */
  settle(database: StateDatabase | null = null): void {
    this.#settled = true;
    for (const [key, route] of this.#routes) {
      if (route.holder !== null) continue;
      const next = route.queue.shift();
      if (next === undefined) {
        this.#routes.delete(key);
      } else {
        route.holder = next;
        next.onServing();
      }
    }
    this.#removed.update(new Set(this.#routes.keys()), database);
    this.#onSettled();
  }
}
