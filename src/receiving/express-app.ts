import type { IncomingMessage, ServerResponse } from 'node:http';

export type Next = (error?: unknown) => void;

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * The little of an Express application that capturing needs (Express 4.21 to 5). `_router` is
 * Express 4, `router` Express 5; both hold the layers in the order in which they run.
 */
export interface ExpressApp {
  use(middleware: Middleware): unknown;
  /** Where the app was mounted last, below `parent`; `/` for a root app. Elements may be patterns. */
  readonly mountpath: string | readonly string[];
  /** The app this one was mounted on last, if any. */
  readonly parent?: ExpressApp;
  readonly _router?: { stack: { handle: unknown }[] };
  readonly router?: { stack: { handle: unknown }[] };
  on(event: 'mount', listener: (parent: ExpressApp) => void): unknown;
}
