import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, installCapture } from './body-capture';
import type { ExpressApp, Middleware } from './express-app';
import { FastPath } from './fast-path';
import { answer } from '../endpoint/http-responses';
import { runHandlers, type OwnerMiddleware } from './owner-middleware';
import { RouteTable } from './route-table';

/** One table for all copies of the package that share an Express app; the number is its layout's version. */
const TABLE = Symbol.for('@red-telephony/node-red-telnyx/routes/1');

const NO_MIDDLEWARE: OwnerMiddleware = { handlers: () => [], onFault: () => undefined };

/** Headers that only a provider's delivery carries. */
const SIGNATURE_HEADERS = [
  'telnyx-signature-ed25519',
  'x-telnyx-signature',
  'x-meeting-bot-signature',
  'x-webhook-signature'
] as const;

/**
 * The one route table of an app. The first call puts the capture in front and one permanent dispatcher
 * on the app; nodes come and go in the table, never in Express, so a redeploy needs no surgery on its
 * stack and leaves no dead route behind.
 *
 * @param httpNode `RED.httpNode`
 * @param onNew called once per app, to connect the table with the runtime's events
 * @param shortCut lets deliveries skip both apps where nothing stands between (see `FastPath`); left out
 *   when that cannot be known
 * @param owner what every delivery passes before it is received
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
  const table = new RouteTable();
  Object.defineProperty(holder, TABLE, { value: table });
  const dispatcher = dispatch(table, owner);
  const way = shortCut && new FastPath({ httpNode, dispatcher, owner, ...shortCut });
  installCapture(httpNode, table, (root) => way?.from(root) ?? false);
  httpNode.use(dispatcher);
  onNew(table);
  return table;
}

function dispatch(table: RouteTable, owner: OwnerMiddleware): Middleware {
  return function telnyxDispatcher(request, response, next) {
    const route = table.find(request.url ?? '/');
    if (route === undefined) {
      // Before the flows have started nobody knows whose path this is: a provider is asked to wait.
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
      bodyOf(request, receiver.maxBody).then((body) => receiver.receive(request, response, body), next);
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

/** The answer that a handler has begun cannot be made good any more; an end without a length tells the sender. */
function tryAgain(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent && !response.writableEnded) request.socket.destroy();
  else answer(request, response, 503);
}

function isDelivery(request: IncomingMessage): boolean {
  return SIGNATURE_HEADERS.some((name) => request.headers[name] !== undefined);
}
