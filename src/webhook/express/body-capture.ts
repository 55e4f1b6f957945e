import type { IncomingMessage } from 'node:http';
import { ByteBudget } from './byte-budget';
import { captureBody, isUntouched, type CapturedBody } from './captured-body';
import { stackOf, type ExpressApp, type Middleware } from './express-app';
import { MountPaths } from './mount-paths';
import { comparablePath } from './route-path';
import type { FoundRoute, RouteTable } from './route-table';

/** Where a captured body rests on the request. Shared by every copy of the package in the process. */
const CAPTURED = Symbol.for('@red-telephony/node-red-telnyx/captured-body');

/** Milliseconds that a sender has for a whole body. Senders themselves give up after 2 to 30 s. */
export const BODY_TIMEOUT_MS = 10_000;

/** Unverified bytes of all requests together; 64 bodies of the default limit. */
const TOTAL_UNVERIFIED_BYTES = 64 * 1024 * 1024;
const budget = new ByteBudget(TOTAL_UNVERIFIED_BYTES);

type CapturedRequest = IncomingMessage & {
  [CAPTURED]?: CapturedBody;
  _body?: boolean;
  body?: unknown;
};

/**
 * The body of a request, captured already or read now if nobody has touched it.
 *
 * @returns `lost` when something else parsed the body first: what is left cannot be verified
 */
export async function bodyOf(request: IncomingMessage, maxBody: number): Promise<CapturedBody> {
  const captured = (request as CapturedRequest)[CAPTURED];
  if (captured !== undefined) return captured;
  if (!isUntouched(request)) return { kind: 'lost' };
  return captureBody(request, { maxBody, timeoutMs: BODY_TIMEOUT_MS, budget });
}

/**
 * Puts a layer at the very front of the Express app that serves Node-RED. With the default settings
 * Node-RED's admin API parses, and so destroys, every JSON and form body before any route of ours;
 * here, before it, the bytes of requests to our own paths are taken as they arrive. All other requests pass
 * untouched.
 *
 * @param httpNode the app of the flows' URLs; the layer goes to the front of its root app, and of each
 *   new root when it is mounted later
 * @param direct whether nothing stands between the front of a root app and the dispatcher, so that a
 *   delivery may go to its receiver at once
 */
export function installCapture(
  httpNode: ExpressApp,
  table: RouteTable,
  direct: (root: ExpressApp) => boolean
): void {
  /** The equipped root apps, each with the paths under which it leads to `httpNode`. */
  const basesOf = new Map<ExpressApp, string[]>();
  const equip = (): void => {
    for (const root of mounts.roots()) {
      if (basesOf.has(root)) continue;
      basesOf.set(root, []);
      putInFront(
        root,
        captureFor(
          () => basesOf.get(root) ?? [],
          table,
          () => direct(root)
        )
      );
    }
    for (const root of basesOf.keys()) basesOf.set(root, mounts.below(root));
  };
  const mounts = new MountPaths(httpNode, equip);
  equip();
}

function captureFor(bases: () => string[], table: RouteTable, direct: () => boolean): Middleware {
  return function telnyxRawBody(request, response, next) {
    const route = routeOf(request.url ?? '/', bases(), table);
    const captured = request as CapturedRequest;
    // Untouched also by this layer: an app of ours may be on another one.
    if (route === undefined || !isUntouched(request)) return next();

    const { receiver } = route;
    const claim = (body: CapturedBody): void => {
      if (receiver?.plain === true && direct()) return receiver.receive(request, response, body);
      captured[CAPTURED] = body;
      // Every body parser, ours or somebody's, leaves a request alone that carries this mark.
      captured._body = true;
      captured.body = body.kind === 'bytes' ? body.bytes : undefined;
      // Another layer answers, perhaps a login: a connection with an unread rest cannot continue.
      if (body.kind !== 'bytes') response.once('finish', () => endUnread(request));
      next();
    };
    if (receiver === null || request.method !== 'POST' || !receiver.acceptsMethod('POST')) {
      return claim({ kind: 'not-read' });
    }
    captureBody(request, { maxBody: receiver.maxBody, timeoutMs: BODY_TIMEOUT_MS, budget }).then(claim, next);
  };
}

function endUnread(request: IncomingMessage): void {
  if (!request.complete) request.socket.destroySoon();
}

function routeOf(url: string, bases: string[], table: RouteTable): FoundRoute | undefined {
  const path = comparablePath(url);
  for (const base of bases) {
    const below = base === '/' ? path : path.startsWith(`${base}/`) ? path.slice(base.length) : null;
    const route = below === null ? undefined : table.find(below);
    if (route !== undefined) return route;
  }
  return undefined;
}

function putInFront(app: ExpressApp, layer: Middleware): void {
  app.use(layer);
  const stack = stackOf(app);
  if (stack === undefined) return;
  // Not necessarily the last one: some frameworks sort their layers when one is added.
  const index = stack.findIndex((entry) => entry.handle === layer);
  const entry = stack[index];
  if (entry === undefined) return;
  stack.splice(index, 1);
  stack.unshift(entry);
}
