import { stackOf, type ExpressApp, type ExpressLayer, type Middleware } from './express-app';
import type { OwnerMiddleware } from './owner-middleware';

/** Express's own first layers, which only add to request and response. Each app has one of each. */
const OF_EXPRESS: ReadonlySet<string> = new Set(['query', 'expressInit']);
/** The captures of Node-RED's *http in* node and of this package, which let other paths pass. */
const CAPTURES: ReadonlySet<string> = new Set(['rawBodyCapture', 'telnyxRawBody']);
const MOUNTED_APP = 'mounted_app';

export interface FastPathDeps {
  /** The app of the flows' URLs. */
  httpNode: ExpressApp;
  /** Node-RED's admin app; undefined when it is switched off. */
  httpAdmin: ExpressApp | undefined;
  dispatcher: Middleware;
  owner: OwnerMiddleware;
}

/**
 * Tells whether nothing but Express and Node-RED itself is between the front of a root app and our
 * dispatcher: no login, no proxy setting, no other middleware. Only then may a delivery skip the way through
 * both apps, which costs more than its parsing. In doubt the answer is no, and the request goes through
 * everything that somebody put there.
 */
export class FastPath {
  readonly #parts: FastPathDeps;

  constructor(parts: FastPathDeps) {
    this.#parts = parts;
  }

  /**
   * Looks again for every delivery, at the few layers before the dispatcher: an answer that is remembered would
   * have to notice every exchange of a layer, an app or a setting.
   */
  from(root: ExpressApp): boolean {
    const { httpNode, httpAdmin, dispatcher, owner } = this.#parts;
    if (owner.handlers().length > 0) return false;
    if (httpNode.parent !== root) return false;
    // Behind a trusted proxy Express reads the sender's address from a header.
    if (root.get(TRUST_PROXY) !== false || httpNode.get(TRUST_PROXY) !== false) return false;
    const above = stackOf(root);
    const own = stackOf(httpNode);
    if (above === undefined || own === undefined) return false;
    const beforeMount = layersBefore(above, liesOn(root, httpAdmin) ? 2 : 1);
    const beforeDispatcher = own.findIndex(({ handle }) => handle === dispatcher);
    if (beforeMount === null || beforeDispatcher === -1) return false;
    return onlyHarmless(beforeMount) && onlyHarmless(own.slice(0, beforeDispatcher));
  }
}

const TRUST_PROXY = 'trust proxy';

/**
 * The layers of a root app before the last app on it, which is the flows' app when the number of apps is right.
 *
 * @returns null when another number of apps is mounted than Node-RED itself mounts
 */
function layersBefore(stack: readonly ExpressLayer[], apps: number): ExpressLayer[] | null {
  const before: ExpressLayer[] = [];
  let waiting: ExpressLayer[] = [];
  let mounted = 0;
  for (const layer of stack) {
    if (layer.name !== MOUNTED_APP) {
      waiting.push(layer);
      continue;
    }
    mounted += 1;
    before.push(...waiting);
    waiting = [];
  }
  return mounted === apps ? before : null;
}

/** Node-RED gives nodes an admin app of their own, which is on the one that is on the root. */
function liesOn(root: ExpressApp, app: ExpressApp | undefined): boolean {
  for (let at = app?.parent; at !== undefined; at = at.parent) if (at === root) return true;
  return false;
}

/** Names alone are no proof: a second `query` is somebody's own. */
function onlyHarmless(layers: readonly ExpressLayer[]): boolean {
  const seen = new Set<string>();
  return layers.every(({ name, route }) => {
    if (route !== undefined) return false;
    if (CAPTURES.has(name)) return true;
    if (!OF_EXPRESS.has(name) || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
