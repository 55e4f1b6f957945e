import type { IncomingMessage, ServerResponse } from 'node:http';

export type Next = (error?: unknown) => void;

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * The little of an Express application that capturing needs (Express 4.21 to 5). `_router` is
 * Express 4, `router` Express 5; both hold the layers in the order in which they run.
 */
export interface ExpressLayer {
  readonly handle: unknown;
  /** Name of the handling function; `mounted_app` for an app, `bound dispatch` for a route. */
  readonly name: string;
  /** There when the layer is a route of its own and no middleware. */
  readonly route?: unknown;
}

export interface ExpressApp {
  use(middleware: Middleware): unknown;
  /** Where the app was mounted last, below `parent`; `/` for a root app. Elements may be patterns. */
  readonly mountpath: string | readonly string[];
  /** The app this one was mounted on last, if any. */
  readonly parent?: ExpressApp;
  readonly _router?: { stack: ExpressLayer[] };
  readonly router?: { stack: ExpressLayer[] };
  /** A setting, such as `trust proxy`. */
  get(setting: string): unknown;
  on(event: 'mount', listener: (parent: ExpressApp) => void): unknown;
}

/** The layers of an app in the order in which they run; undefined before the first one was added. */
export function stackOf(app: ExpressApp): ExpressLayer[] | undefined {
  return (app._router ?? app.router)?.stack;
}
