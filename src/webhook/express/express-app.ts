import type { IncomingMessage, ServerResponse } from 'node:http';
import { comparablePath } from './route-path';

export type Next = (error?: unknown) => void;

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * The part of an Express application that capturing needs (Express 4.21 to 5). `_router` is
 * Express 4, `router` Express 5; both hold the layers in the order in which they run.
 */
export interface ExpressLayer {
  readonly handle: unknown;
  /** Name of the handling function; `mounted_app` for an app, `bound dispatch` for a route. */
  readonly name: string;
  /** Present when the layer is a route rather than middleware. */
  readonly route?: unknown;
}

export interface ExpressApp {
  use(middleware: Middleware): unknown;
  /** The path where the app was last mounted on `parent`; `/` for a root app. Elements may be patterns. */
  readonly mountpath: string | readonly string[];
  /** The app on which this one was last mounted, if any. */
  readonly parent?: ExpressApp;
  readonly _router?: { stack: ExpressLayer[] };
  readonly router?: { stack: ExpressLayer[] };
  /** A setting, such as `trust proxy`. */
  get(setting: string): unknown;
  /** The prototypes of its requests and responses; a stub has none. */
  readonly request?: object;
  readonly response?: object;
  on(event: 'mount', listener: (parent: ExpressApp) => void): unknown;
}

/** The layers of an app in the order in which they run; undefined before the first one was added. */
export function stackOf(app: ExpressApp): ExpressLayer[] | undefined {
  return (app._router ?? app.router)?.stack;
}

interface Mount {
  parent: ExpressApp;
  /** Below the parent. */
  paths: string[];
}

/**
 * Tracks where an Express app can be reached: below which root apps and under which paths. An app may be
 * mounted late, several times and under several paths, and so may the apps on which it is mounted.
 */
export class MountPaths {
  readonly #app: ExpressApp;
  readonly #onChange: () => void;
  readonly #mounts = new Map<ExpressApp, Mount[]>();

  /** @param onChange called after an app was mounted, when its place is known */
  constructor(app: ExpressApp, onChange: () => void) {
    this.#app = app;
    this.#onChange = onChange;
    this.#watch(app);
  }

  /** The outermost apps; the app itself while it is mounted nowhere. */
  roots(): ReadonlySet<ExpressApp> {
    return new Set(this.#places(this.#app).map(([root]) => root));
  }

  /** Comparable paths below a root app; empty when the app is not (or no longer) reached through it directly. */
  below(root: ExpressApp): string[] {
    const paths = this.#places(this.#app).flatMap(([place, path]) => (place === root ? [path] : []));
    return [...new Set(paths.map(comparablePath))];
  }

  #places(app: ExpressApp): [root: ExpressApp, path: string][] {
    const mounts = this.#mounts.get(app) ?? [];
    if (mounts.length === 0) return [[app, '/']];
    return mounts.flatMap(({ parent, paths }) =>
      this.#places(parent).flatMap(([root, above]) =>
        paths.map((path): [ExpressApp, string] => [root, `${above}/${path}`])
      )
    );
  }

  #watch(app: ExpressApp): void {
    if (this.#mounts.has(app)) return;
    this.#mounts.set(app, []);
    if (app.parent !== undefined) this.#add(app, app.parent);
    app.on('mount', (parent) => {
      this.#add(app, parent);
      this.#onChange();
    });
  }

  #add(app: ExpressApp, parent: ExpressApp): void {
    // A mount by regular expression cannot be compared; there the dispatcher takes the body itself.
    const paths = [app.mountpath].flat().filter((path) => typeof path === 'string');
    this.#mounts.get(app)?.push({ parent, paths });
    this.#watch(parent);
  }
}

/** Express's own first layers, which only add to request and response. Each app has one of each. */
const OF_EXPRESS: ReadonlySet<string> = new Set(['query', 'expressInit']);

/** The captures of Node-RED's *http in* node and of this package, which let other paths pass. */
const CAPTURES: ReadonlySet<string> = new Set(['rawBodyCapture', 'telnyxRawBody']);

const MOUNTED_APP = 'mounted_app';

const UNKNOWN_LAYER: Pick<ExpressLayer, 'name' | 'route'> = { name: '' };

interface FastPathDeps {
  /** The app of the flows' URLs. */
  httpNode: ExpressApp;
  /** Node-RED's admin app; undefined when it is switched off. */
  httpAdmin: ExpressApp | undefined;
  dispatcher: Middleware;
  owner: OwnerMiddleware;
}

/**
 * Whether only Express and Node-RED itself are between the front of a root app and our dispatcher: no login, no
 * proxy setting, no other middleware. Only then may a delivery skip the path through both apps, which costs
 * more than its parsing. When in doubt, the request takes the normal path through all middleware.
 */
export class FastPath {
  readonly #deps: FastPathDeps;

  constructor(deps: FastPathDeps) {
    this.#deps = deps;
  }

  /**
   * Checks the few layers before the dispatcher for every delivery: a cached answer would have to notice every
   * change of a layer, an app or a setting.
   */
  from(root: ExpressApp): boolean {
    const { httpNode, httpAdmin, dispatcher, owner } = this.#deps;
    if (owner.handlers().length > 0) return false;
    if (httpNode.parent !== root) return false;
    // Behind a trusted proxy Express reads the sender's address from a header.
    if (root.get(TRUST_PROXY) !== false || httpNode.get(TRUST_PROXY) !== false) return false;
    const above = stackOf(root);
    const own = stackOf(httpNode);
    if (above === undefined || own === undefined) return false;
    const mounted = lastMount(above, liesOn(root, httpAdmin) ? 2 : 1);
    const dispatching = own.findIndex(({ handle }) => handle === dispatcher);
    if (mounted === -1 || dispatching === -1) return false;
    return onlyHarmless(above, mounted, MOUNTED_APP) && onlyHarmless(own, dispatching);
  }
}

const TRUST_PROXY = 'trust proxy';

/**
 * Where the last app is mounted on a root app, which is the flows' app if the number of apps is right.
 *
 * @returns -1 when the number of mounted apps is not what Node-RED itself mounts
 */
function lastMount(stack: readonly ExpressLayer[], apps: number): number {
  let last = -1;
  let mounted = 0;
  for (let index = 0; index < stack.length; index += 1) {
    if (stack[index]?.name !== MOUNTED_APP) continue;
    mounted += 1;
    last = index;
  }
  return mounted === apps ? last : -1;
}

/** Whether an app is mounted on `root`, perhaps indirectly: the admin app of the nodes is mounted on another one. */
function liesOn(root: ExpressApp, app: ExpressApp | undefined): boolean {
  for (let at = app?.parent; at !== undefined; at = at.parent) if (at === root) return true;
  return false;
}

/**
 * Names alone are no proof: a second `query` is custom middleware.
 *
 * @param end of the layers in question
 * @param counted the name of layers that were looked at already
 */
function onlyHarmless(stack: readonly ExpressLayer[], end: number, counted?: string): boolean {
  for (let index = 0; index < end; index += 1) {
    const { name, route } = stack[index] ?? UNKNOWN_LAYER;
    if (route !== undefined) return false;
    if (CAPTURES.has(name) || name === counted) continue;
    if (!OF_EXPRESS.has(name)) return false;
    for (let earlier = 0; earlier < index; earlier += 1) if (stack[earlier]?.name === name) return false;
  }
  return true;
}

/** As Express calls it, with request, response and next; one with four parameters gets a fault first. */
export type Handler = (...args: unknown[]) => unknown;

/** The middleware that the owner of a Node-RED put before all addresses of its flows. */
export interface OwnerMiddleware {
  /** Called for each delivery, because settings may change while Node-RED runs. */
  handlers(): readonly Handler[];
  /** A handler failed, and the sender was asked to try again. */
  onFault(fault: unknown): void;
}

/** @param setting `httpNodeMiddleware`; anything but a function or a list is ignored, as in core *http in* */
export function handlersOf(setting: unknown): Handler[] {
  if (typeof setting === 'function') return [setting as Handler];
  if (!Array.isArray(setting)) return [];
  return setting
    .flat(Number.POSITIVE_INFINITY)
    .map((each: unknown) => (typeof each === 'function' ? (each as Handler) : notAFunction));
}

function notAFunction(): never {
  throw new TypeError('an entry of the list is not a function');
}

/** The handlers that core *http in* adds to the app for `httpNodeCors`, recognised by the name in the `cors` package. */
export function corsHandlersOf(httpNode: ExpressApp): Handler[] {
  for (const { route } of stackOf(httpNode) ?? []) {
    const handlers = handlersOfRoute(route);
    if (handlers.some(({ name }) => name === 'corsMiddleware')) return handlers;
  }
  return [];
}

function handlersOfRoute(route: unknown): Handler[] {
  if (typeof route !== 'object' || route === null || !('stack' in route)) return [];
  const { stack } = route;
  if (!Array.isArray(stack)) return [];
  return (stack as { handle?: unknown }[]).flatMap(({ handle }) => handlersOf(handle));
}

interface HandlersEnd {
  passed: () => void;
  /** A handler passed this request on: `next('route')`. */
  left: () => void;
  failed: (fault: unknown) => void;
}

/**
 * Runs handlers like an Express route, after reading cookies as core *http in* does. If a handler answers the
 * request itself, none of `end` is called. A rejected promise counts as a fault, where Express 4 would end the
 * process.
 */
export function runHandlers(
  handlers: readonly Handler[],
  request: IncomingMessage,
  response: ServerResponse,
  end: HandlersEnd
): void {
  addCookies(request);
  const step = (index: number, fault: unknown): void => {
    if (fault === 'route' || fault === 'router') return end.left();
    const handler = handlers[index];
    if (handler === undefined) return isFault(fault) ? end.failed(fault) : end.passed();
    const takesFault = handler.length === 4;
    if (takesFault !== isFault(fault)) return step(index + 1, fault);
    let gone = false;
    const next = (problem?: unknown): void => {
      if (gone) return;
      gone = true;
      step(index + 1, problem);
    };
    const fail = (problem: unknown): void => next(isFault(problem) ? problem : new Error('it failed'));
    try {
      const result = takesFault ? handler(fault, request, response, next) : handler(request, response, next);
      if (isPromise(result)) result.then(undefined, fail);
    } catch (problem) {
      fail(problem);
    }
  };
  step(0, undefined);
}

/** Express treats undefined, null, false, 0 and '' as "continue". */
function isFault(value: unknown): boolean {
  return Boolean(value);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function addCookies(request: IncomingMessage): void {
  const holder = request as IncomingMessage & { cookies?: unknown; signedCookies?: unknown };
  if (holder.cookies !== undefined) return;
  const cookies = Object.create(null) as Record<string, string>;
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1) continue;
    const name = pair.slice(0, equals).trim();
    cookies[name] ??= decoded(pair.slice(equals + 1).trim());
  }
  holder.cookies = cookies;
  holder.signedCookies = Object.create(null) as object;
}

function decoded(text: string): string {
  const bare = text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
