import type { IncomingMessage, ServerResponse } from 'node:http';
import { stackOf, type ExpressApp } from './express-app';

/** As Express takes it: request, response, next; with four parameters it takes a fault first. */
export type Handler = (...args: unknown[]) => unknown;

/** What the owner of a Node-RED put before each address of its flows. */
export interface OwnerMiddleware {
  /** Asked for each delivery, because settings may change while Node-RED runs. */
  handlers(): readonly Handler[];
  /** A handler failed, and the sender was asked to try again. */
  onFault(fault: unknown): void;
}

/** @param setting `httpNodeMiddleware`; what is neither a function nor a list is ignored, as by core *http in* */
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

/** What core *http in* puts on the app for `httpNodeCors`: the `cors` package under its own name. */
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

export interface HandlersEnd {
  passed: () => void;
  /** A handler said that this request is for somebody else: `next('route')`. */
  left: () => void;
  failed: (fault: unknown) => void;
}

/**
 * Runs handlers as an Express route does, with the cookies that core *http in* reads before them. Nothing is
 * called when a handler answers the request itself. A rejected promise counts as a fault, where Express 4 would
 * end the process.
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

/** Express takes nothing, false, 0 and '' for "go on". */
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
