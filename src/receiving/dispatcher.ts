import type { IncomingMessage } from 'node:http';
import { bodyOf, installCapture } from './capture-layer';
import type { ExpressApp, Middleware } from './express-app';
import { DirectWay } from './direct-way';
import { answer } from './http-answers';
import { RouteTable } from './route-table';

/** One table for all copies of the package that share an Express app; the number is its layout's version. */
const TABLE = Symbol.for('@red-telephony/node-red-telnyx/routes/1');

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
 * @param shortCut lets deliveries skip both apps where nothing stands between (see `DirectWay`); left out
 *   when that cannot be known
 */
export function routesOf(
  httpNode: ExpressApp,
  onNew: (table: RouteTable) => void,
  shortCut?: { httpAdmin: ExpressApp | undefined }
): RouteTable {
  const holder = httpNode as ExpressApp & { [TABLE]?: RouteTable };
  const existing = holder[TABLE];
  if (existing !== undefined) return existing;
  const table = new RouteTable();
  Object.defineProperty(holder, TABLE, { value: table });
  const dispatcher = dispatch(table);
  const way = shortCut && new DirectWay({ httpNode, dispatcher, ...shortCut });
  installCapture(httpNode, table, (root) => way?.from(root) ?? false);
  httpNode.use(dispatcher);
  onNew(table);
  return table;
}

function dispatch(table: RouteTable): Middleware {
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
    bodyOf(request, receiver.maxBody).then((body) => receiver.receive(request, response, body), next);
  };
}

function isDelivery(request: IncomingMessage): boolean {
  return SIGNATURE_HEADERS.some((name) => request.headers[name] !== undefined);
}
