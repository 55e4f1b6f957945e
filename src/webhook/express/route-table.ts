import type { DeliveryReceiver } from '../endpoint/delivery-receiver';
import { comparablePath } from './route-path';

/** What became of a node's request to listen on a path. */
export interface Claim {
  /** Whether this claim's receiver serves the path now. */
  readonly serving: boolean;
  /** The id of the node that serves the path instead, when this one does not. */
  readonly heldBy: string | null;
  /** Gives the path back. Until the next `settle` senders get "try again", not "not found". */
  release(): void;
}

interface Waiting {
  ownerId: string;
  receiver: DeliveryReceiver;
  onServing: () => void;
}

interface Route {
  holder: Waiting | null;
  queue: Waiting[];
}

/** What stands behind a path: a live receiver, or nothing for the moment. */
export interface FoundRoute {
  receiver: DeliveryReceiver | null;
}

/**
 * Which node serves which path. A path without a live node stays known until the flows have started
 * again, so that a deploy never shows a sender "404", which most of them take as final.
 */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  #settled = false;

  /** False until the flows have started for the first time. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Asks for a path. The first node to ask serves it; later ones wait, and the longest waiting one takes
   * over when the path is free after a deploy.
   *
   * @param path below the root of the flows' URLs
   * @param onServing called when a waiting claim takes over
   */
  claim(path: string, ownerId: string, receiver: DeliveryReceiver, onServing: () => void): Claim {
    const key = comparablePath(path);
    const route = this.#routes.get(key) ?? { holder: null, queue: [] };
    this.#routes.set(key, route);
    const own: Waiting = { ownerId, receiver, onServing };
    if (route.holder === null) route.holder = own;
    else route.queue.push(own);
    return {
      get serving() {
        return route.holder === own;
      },
      get heldBy() {
        return route.holder === own ? null : (route.holder?.ownerId ?? null);
      },
      release: () => {
        if (route.holder === own) route.holder = null;
        route.queue = route.queue.filter((waiting) => waiting !== own);
      }
    };
  }

  /** @param path below the root of the flows' URLs, in any spelling */
  find(path: string): FoundRoute | undefined {
    const route = this.#routes.get(comparablePath(path));
    return route && { receiver: route.holder?.receiver ?? null };
  }

  /** The flows have started: paths that nobody serves any more are forgotten, waiting claims take over. */
  settle(): void {
    this.#settled = true;
    for (const [key, route] of this.#routes) {
      if (route.holder !== null) continue;
      const next = route.queue.shift();
      if (next === undefined) {
        this.#routes.delete(key);
      } else {
        route.holder = next;
        next.onServing();
      }
    }
  }
}
