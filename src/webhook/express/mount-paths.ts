import type { ExpressApp } from './express-app';
import { comparablePath } from './route-path';

interface Mount {
  parent: ExpressApp;
  /** Below the parent. */
  paths: string[];
}

/**
 * Knows where an Express app can be reached: below which root apps and under which paths. An app may be
 * mounted late, several times, under several paths, and so may the apps it is mounted on.
 */
export class MountPaths {
  readonly #app: ExpressApp;
  readonly #onChange: () => void;
  readonly #mounts = new Map<ExpressApp, Mount[]>();

  /** @param onChange called when an app was mounted, once the new place is known */
  constructor(app: ExpressApp, onChange: () => void) {
    this.#app = app;
    this.#onChange = onChange;
    this.#watch(app);
  }

  /** The outermost apps; the app itself while it is mounted nowhere. */
  roots(): ReadonlySet<ExpressApp> {
    return new Set(this.#places(this.#app).map(([root]) => root));
  }

  /** Comparable paths below a root app; empty when the app is not (any more) reached through it directly. */
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
