import type { IncomingHttpHeaders } from 'node:http';

/** A rate limit: at most this many requests in any span of this length. */
export interface RateLimit {
  requests: number;
  /** Milliseconds. */
  span: number;
}

/** What decides when a request may be made. */
export interface PacedRequest {
  method: string;
  /** Segments below the base of the API. */
  path: readonly string[];
  signal: AbortSignal;
}

/** When requests to the API of an account may be made; shared by all that ask with its key. */
export interface ApiPace {
  /** Resolves when a request may be made; `ended` follows each. @throws `signal.reason` when aborted */
  turn(request: PacedRequest): Promise<void>;
  /** Called with the headers of each response, including errors. */
  answered?(headers: IncomingHttpHeaders): void;
  /** A request that had its turn is over. */
  ended?(): void;
}

/** The other processes that may ask the API of the same account. */
export interface ApiPeers {
  /** This process begins to ask, and the others learn of it. @returns the function that tells them of the end */
  begin(): () => void;
  /** How many ask, this one included, as far as is known. */
  count(): number;
}

/** For so long after its last request a process keeps its part of a limit. Milliseconds. */
const IDLE_MS = 60_000;
/** What nobody's part of a limit falls below: one request in so many milliseconds. Links to recordings work for ten minutes. */
const SLOWEST_MS = 5000;

/**
 * Among how many processes the rate limit of an account is divided: those that have asked its API lately. A list runs in one of
 * them, so one that asks nothing must not slow it down.
 */
export class ApiShare {
  readonly #idleMs: number;
  /** By what connects this process with its peers. */
  readonly #groups = new Map<object, { peers: ApiPeers; end: (() => void) | null }>();
  #timer: NodeJS.Timeout | undefined;
  #hasAsked = false;

  /** @param idleMs milliseconds after the last request for which it still takes its part */
  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** @returns whether that is new: `leave` the group when it ends */
  join(group: object, peers: ApiPeers): boolean {
    if (this.#groups.has(group)) return false;
    this.#groups.set(group, { peers, end: null });
    return true;
  }

  leave(group: object): void {
    this.#groups.get(group)?.end?.();
    this.#groups.delete(group);
  }

  /** A request is about to be made. @returns into how many parts the limit is divided; 1 when this process asks alone */
  ask(): number {
    if (this.#groups.size === 0) return 1;
    this.#hasAsked = true;
    this.#timer ??= setInterval(() => this.#look(), this.#idleMs).unref();
    let parts = 1;
    for (const group of this.#groups.values()) {
      group.end ??= group.peers.begin();
      parts = Math.max(parts, group.peers.count());
    }
    return parts;
  }

  #look(): void {
    if (this.#hasAsked) {
      this.#hasAsked = false;
      return;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const group of this.#groups.values()) {
      group.end?.();
      group.end = null;
    }
  }
}

/** How many requests of a limit are one of its parts: at least one in five seconds. */
export function partOf({ requests, span }: RateLimit, parts: number): number {
  if (parts <= 1) return requests;
  return Math.min(requests, Math.max(Math.floor(requests / parts), Math.ceil(span / SLOWEST_MS)));
}
