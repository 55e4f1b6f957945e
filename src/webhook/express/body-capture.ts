import type { IncomingMessage } from 'node:http';
import type { CapturedBody, FoundRoute } from '../endpoint/delivery-receiver';
import { type ExpressApp, type Middleware, MountPaths, stackOf } from './express-app';
import { comparablePath } from './route-path';

/** Where the request holds a captured body. Shared by all copies of the package in the process. */
const CAPTURED = Symbol.for('@red-telephony/node-red-telnyx/captured-body');

/** Milliseconds that a sender has for a whole body. Senders themselves give up after 2 to 30 s. */
const BODY_TIMEOUT_MS = 10_000;

type CapturedRequest = IncomingMessage & {
  [CAPTURED]?: CapturedBody;
  _body?: boolean;
  body?: unknown;
};

/**
 * The body of a request, already captured, or read now if untouched.
 *
 * @param take gets it, or `lost` when something else parsed the body first: what remains cannot be verified
 */
export function takeBody(request: IncomingMessage, maxBody: number, take: TakeBody): void {
  const captured = (request as CapturedRequest)[CAPTURED];
  if (captured !== undefined) take(captured);
  else if (!isUntouched(request)) take({ kind: 'lost' });
  else captureBody(request, { maxBody, timeoutMs: BODY_TIMEOUT_MS, budget }, take);
}

/** Finds the route of a path below the root of the flows' URLs. */
type FindRoute = (path: string) => FoundRoute | undefined;

/**
 * Puts a layer at the very front of the Express app that serves Node-RED. With the default settings Node-RED's
 * admin API parses, and so destroys, every JSON and form body before any route of ours; here, before it, the
 * bytes of requests to our own paths are captured as they arrive. All other requests pass untouched.
 *
 * @param httpNode the app of the flows' URLs; the layer goes to the front of its root app, and of each new root
 *   when it is mounted later
 * @param direct whether nothing is between the front of a root app and the dispatcher, so that a delivery may
 *   go directly to its receiver
 */
export function installCapture(
  httpNode: ExpressApp,
  find: FindRoute,
  direct: (root: ExpressApp) => boolean
): void {
  /** The root apps with a capture layer, each with the paths under which it leads to `httpNode`. */
  const basesOf = new Map<ExpressApp, string[]>();
  const equip = (): void => {
    for (const root of mounts.roots()) {
      if (basesOf.has(root)) continue;
      basesOf.set(root, []);
      putInFront(
        root,
        captureFor(
          () => basesOf.get(root) ?? [],
          find,
          () => direct(root)
        )
      );
    }
    for (const root of basesOf.keys()) basesOf.set(root, mounts.below(root));
  };
  const mounts = new MountPaths(httpNode, equip);
  equip();
}

function captureFor(bases: () => string[], find: FindRoute, direct: () => boolean): Middleware {
  return function telnyxRawBody(request, response, next) {
    const route = routeOf(request.url ?? '/', bases(), find);
    const captured = request as CapturedRequest;
    // Also untouched by this layer itself, because one root app may be mounted on another.
    if (route === undefined || !isUntouched(request)) return next();

    const { receiver } = route;
    const claim = (body: CapturedBody): void => {
      if (receiver?.plain === true && direct()) return receiver.receive(request, response, body);
      captured[CAPTURED] = body;
      // Every body parser skips a request with this mark.
      captured._body = true;
      captured.body = body.kind === 'bytes' ? body.bytes : undefined;
      // Another layer may answer, such as a login: a connection with unread bytes cannot continue.
      if (body.kind !== 'bytes') response.once('finish', () => endUnread(request));
      next();
    };
    if (receiver === null || request.method !== 'POST' || !receiver.acceptsMethod('POST')) {
      return claim({ kind: 'not-read' });
    }
    captureBody(request, { maxBody: receiver.maxBody, timeoutMs: BODY_TIMEOUT_MS, budget }, claim);
  };
}

function endUnread(request: IncomingMessage): void {
  if (!request.complete) request.socket.destroySoon();
}

function routeOf(url: string, bases: string[], find: FindRoute): FoundRoute | undefined {
  const path = comparablePath(url);
  for (const base of bases) {
    const below = base === '/' ? path : path.startsWith(`${base}/`) ? path.slice(base.length) : null;
    const route = below === null ? undefined : find(below);
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

/** Unverified bytes of all requests together; 64 bodies of the default limit. */
const TOTAL_UNVERIFIED_BYTES = 64 * 1024 * 1024;

interface CaptureLimits {
  /** Bytes of this body. */
  maxBody: number;
  /** Milliseconds for the whole body. A total, because a byte a second never looks idle. */
  timeoutMs: number;
  /** Unverified bytes of all requests together. */
  budget: ByteBudget;
}

/** Bytes that a piece of a body takes up in memory besides its content. */
const PIECE_BYTES = 256;

/** The number of pieces allowed for any body; a larger body may have more. */
const FEWEST_PIECES = 4096;

/** Whether the request's body has not been read, replaced, or set to decode its bytes. */
export function isUntouched(request: IncomingMessage & { _body?: unknown; body?: unknown }): boolean {
  return (
    request._body !== true &&
    !request.readableDidRead &&
    !request.destroyed &&
    request.readableEncoding === null
  );
}

/** Must not throw. */
type TakeBody = (body: CapturedBody) => void;

/**
 * Reads a request body to its end and counts its bytes. The limit applies to the declared length, before
 * anything is read, and to the bytes that really arrive.
 *
 * @param take called once, in the turn in which the body has arrived or is given up: a promise for each delivery costs
 *   more than reading it
 */
export function captureBody(request: IncomingMessage, limits: CaptureLimits, take: TakeBody): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    return take({ kind: 'encoded' });
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > limits.maxBody) return take({ kind: 'too-large' });

  const chunks: Buffer[] = [];
  const mostPieces = FEWEST_PIECES + limits.maxBody / PIECE_BYTES;
  let size = 0;
  const leave = (): void => {
    limits.budget.leave(unfinished);
    request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
  };
  const giveUp = (kind: GivenUp): void => {
    leave();
    request.pause();
    // The caller may be in the middle of counting other bodies.
    queueMicrotask(() => take({ kind }));
  };
  const unfinished: UnfinishedBody = { held: 0, timeoutMs: limits.timeoutMs, giveUp };
  const onData = (chunk: Buffer): void => {
    if (size + chunk.length > limits.maxBody) return giveUp('too-large');
    if (chunks.length >= mostPieces) return giveUp('fragmented');
    if (!limits.budget.take(unfinished, chunk.length + PIECE_BYTES)) return;
    size += chunk.length;
    chunks.push(chunk);
  };
  const onEnd = (): void => {
    leave();
    const first = chunks[0];
    take({ kind: 'bytes', bytes: chunks.length === 1 && first ? first : Buffer.concat(chunks, size) });
  };
  const onGone = (): void => giveUp('lost');
  limits.budget.enter(unfinished);
  request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
}

type GivenUp = Exclude<CapturedBody['kind'], 'bytes'>;

/** A body that has not arrived completely. */
interface UnfinishedBody {
  /** Bytes in memory. */
  held: number;
  /** Milliseconds for the whole body. */
  timeoutMs: number;
  /** Stops reading, because the memory is needed or the time is over. */
  giveUp: (kind: GivenUp) => void;
  timer?: NodeJS.Timeout;
}

/**
 * Limits the memory that unverified senders can use. When it is used up, the body that has been arriving for
 * longest is dropped: a genuine one takes milliseconds, while one that is meant to use memory stays as
 * long as it can. Limits the time of each, too.
 */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;
  /** Oldest first. */
  readonly #unfinished = new Set<UnfinishedBody>();
  /** Those that began in this turn of the event loop. */
  #begun: UnfinishedBody[] = [];

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(body: UnfinishedBody): void {
    this.#unfinished.add(body);
    // Most bodies arrive with their heads, and need no timer.
    if (this.#begun.push(body) === 1) setImmediate(() => this.#limitTimes());
  }

  /** Counts further bytes of an entered body. @returns false when this body itself had to give way */
  take(body: UnfinishedBody, bytes: number): boolean {
    while (this.#used + bytes > this.#limit) {
      const [oldest = body] = this.#unfinished;
      oldest.giveUp('overloaded');
      if (oldest === body) return false;
    }
    this.#used += bytes;
    body.held += bytes;
    return true;
  }

  leave(body: UnfinishedBody): void {
    if (!this.#unfinished.delete(body)) return;
    this.#used -= body.held;
    clearTimeout(body.timer);
  }

  #limitTimes(): void {
    for (const body of this.#begun.splice(0))
      if (this.#unfinished.has(body)) body.timer = setTimeout(() => body.giveUp('too-slow'), body.timeoutMs);
  }
}

const budget = new ByteBudget(TOTAL_UNVERIFIED_BYTES);
