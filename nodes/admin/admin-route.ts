import type { IncomingMessage, ServerResponse } from 'node:http';
import { FairTurns } from '../../src/concurrency/fair-turns';
import { CodedError } from '../../src/errors/coded-error';
import { asFields, textField } from '../../src/values/fields';
import type { AdminHandler, NodeRedApi } from '../lib/node-red';
import type { Permission } from './permission';

export interface AdminRoute<Reply extends object> {
  /** Below the admin root. */
  path: string;
  permission: Permission;
  /** What the editor shows when it fails for a reason of our own. */
  failed: string;
  /** Does it. @throws CodedError whose text the editor shows; the text of any other error it does not */
  run: (asked: AskedFor, asking: Asking) => Promise<Reply> | Reply;
  /** How many requests are answered at once, and wait. Default: those of a route that answers soon. */
  turns?: FairTurns;
}

/** Too many requests wait already. */
class TooManyRequests extends Error {}

/** Requests that share what they may do at once, so that neither many of them nor one user's stop the others. */
export function requestTurns(limits: { atOnce: number; ofOwner: number; waiting: number }): FairTurns {
  return new FairTurns({ ...limits, full: () => new TooManyRequests() });
}

/** More than all editors of a company ask for together. */
const USUAL_TURNS = { atOnce: 4, ofOwner: 3, waiting: 100 };

/** Who asks, and for how long. */
export interface Asking {
  /** Null when nobody has to log in. */
  user: string | null;
  /** Fires when the answer is no longer wanted. */
  signal: AbortSignal;
  /** For an answer that is sent bit by bit; what `run` returns is then left out. */
  response: ServerResponse;
}

/** What a request asks for. All untrusted. */
export class AskedFor {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: unknown) {
    this.#values =
      typeof values === 'object' && values !== null && !Array.isArray(values)
        ? (values as Record<string, unknown>)
        : {};
  }

  /** @returns blank when it is missing, not text, or longer than `longest` characters */
  text(name: string, longest = 2048): string {
    const value = this.value(name);
    return typeof value === 'string' && value.length <= longest ? value : '';
  }

  /** @returns a whole number within the limits; `fallback` for anything else */
  number(name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
    const value = this.value(name);
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    return typeof number === 'number' && Number.isInteger(number) && min <= number && number <= max
      ? number
      : fallback;
  }

  /** @returns the texts of a list, without what is none; at most `most` */
  texts(name: string, most = 1000): string[] {
    const value = this.value(name);
    if (!Array.isArray(value)) return [];
    return value.slice(0, most).filter((each): each is string => typeof each === 'string');
  }

  /** @returns a value as it was sent */
  value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }
}

type Api = Pick<NodeRedApi, 'httpAdmin' | 'auth'>;

/** Serves what the editor shows; the values are those of the query. */
export function serveRead<Reply extends object>(RED: Api, route: AdminRoute<Reply>): void {
  const handle = handlerOf(route, (request) => (request as { query?: unknown }).query);
  RED.httpAdmin.get(route.path, RED.auth.needsPermission(route.permission), handle);
}

/** Serves what a button of the editor does; the values are a JSON object in the body. */
export function serveWrite<Reply extends object>(RED: Api, route: AdminRoute<Reply>): void {
  const handle = handlerOf(route, (request) => (request as { body?: unknown }).body);
  const onlyJson: AdminHandler = (request, response, next) => {
    // Node-RED also reads forms, which a page of any other site can make the user's browser send.
    if (isJson(request.headers['content-type'])) {
      handle(request, response, next);
      return;
    }
    response.statusCode = 415;
    response.json({ error: 'Expected JSON.' });
  };
  RED.httpAdmin.post(route.path, RED.auth.needsPermission(route.permission), onlyJson);
}

function handlerOf<Reply extends object>(
  { run, failed, turns = requestTurns(USUAL_TURNS) }: AdminRoute<Reply>,
  valuesOf: (request: IncomingMessage) => unknown
): AdminHandler {
  return (request, response) => {
    const reply = (status: number, body: object): void => {
      if (response.headersSent || response.destroyed) {
        response.end();
        return;
      }
      response.statusCode = status;
      response.setHeader('Cache-Control', 'no-store');
      response.json(body);
    };
    if (isFromAnotherSite(request)) {
      reply(403, { error: 'Requests from other sites are refused.' });
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const asking = { user: userOf(request), signal: gone.signal, response };
    turns
      .run(asking.user, gone.signal, () => run(new AskedFor(valuesOf(request)), asking))
      .then((done) => reply(200, done))
      .catch((error: unknown) => {
        if (error instanceof TooManyRequests)
          reply(429, {
            error: 'Many others ask for this now. Wait a few seconds, then try again.',
            code: 'BUSY'
          });
        else if (error instanceof CodedError) reply(400, { error: error.message, code: error.code });
        else reply(500, { error: failed, code: 'UNEXPECTED' });
      });
  };
}

/** Node-RED puts the user of the token into the request. */
function userOf(request: IncomingMessage): string | null {
  return textField(asFields((request as { user?: unknown }).user), 'username');
}

export function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}

/** Node-RED 4 lets pages of any site read what its admin API answers; browsers say where a request comes from. */
export function isFromAnotherSite({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['sec-fetch-site'] === 'cross-site';
}
