import type { ExpressApp, ExpressLayer, Middleware } from './express-app';

/**
 * Express's own first layers, which only add to request and response, and the captures of Node-RED's
 * *http in* node and of this package, which let other paths pass.
 */
const HARMLESS: ReadonlySet<string> = new Set(['query', 'expressInit', 'rawBodyCapture', 'telnyxRawBody']);
const MOUNTED_APP = 'mounted_app';

export interface DirectWayParts {
  /** The app of the flows' URLs. */
  httpNode: ExpressApp;
  /** Node-RED's admin app; undefined when it is switched off. */
  httpAdmin: ExpressApp | undefined;
  dispatcher: Middleware;
}

/**
 * Tells whether nothing but Express and Node-RED itself lies between the front of a root app and our
 * dispatcher: no login, no proxy setting, no other middleware. Only then may a delivery skip the way through
 * both apps, which costs more than its parsing. In doubt the answer is no, and the request goes through
 * everything that somebody put there.
 */
export class DirectWay {
  #seen = '';
  #clear = false;

  constructor(private readonly parts: DirectWayParts) {}

  /** Asked for every delivery; looks again only when a layer came or went. */
  from(root: ExpressApp): boolean {
    const rootStack = stackOf(root);
    const nodeStack = stackOf(this.parts.httpNode);
    const state = `${rootStack?.length ?? -1} ${nodeStack?.length ?? -1}`;
    if (state !== this.#seen) {
      this.#seen = state;
      this.#clear =
        rootStack !== undefined && nodeStack !== undefined && this.#look(root, rootStack, nodeStack);
    }
    return this.#clear;
  }

  #look(root: ExpressApp, rootStack: readonly ExpressLayer[], nodeStack: readonly ExpressLayer[]): boolean {
    const { httpNode, httpAdmin } = this.parts;
    if (httpNode.parent !== root || root.get('trust proxy') !== false) return false;
    const mounts = rootStack.flatMap((layer, index) => (layer.name === MOUNTED_APP ? [index] : []));
    const expected = liesOn(root, httpAdmin) ? 2 : 1;
    if (mounts.length !== expected) return false;
    const before = rootStack.slice(0, mounts.at(-1)).filter(({ name }) => name !== MOUNTED_APP);
    const dispatcher = nodeStack.findIndex(({ handle }) => handle === this.parts.dispatcher);
    if (dispatcher === -1) return false;
    return [...before, ...nodeStack.slice(0, dispatcher)].every(isHarmless);
  }
}

/** Node-RED gives nodes an admin app of their own, which lies on the one that lies on the root. */
function liesOn(root: ExpressApp, app: ExpressApp | undefined): boolean {
  for (let at = app?.parent; at !== undefined; at = at.parent) if (at === root) return true;
  return false;
}

function isHarmless({ name, route }: ExpressLayer): boolean {
  return route === undefined && HARMLESS.has(name);
}

function stackOf(app: ExpressApp): readonly ExpressLayer[] | undefined {
  return (app._router ?? app.router)?.stack;
}
