import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY } from '../../support/packed-package';

export interface Installed {
  name: string;
  version: string;
  license?: string;
}

interface Manifest extends Installed {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/**
 * What `require` can reach from this package without its development dependencies, by walking the manifests in node_modules as
 * Node.js looks packages up. It knows nothing of package-lock.json, and only packages for this platform.
 */
export function installedPackages(): Installed[] {
  const found = new Map<string, Manifest>();
  const waiting = [REPOSITORY];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      const place = placeOf(name, folder);
      const isOptional = name in (manifest.optionalDependencies ?? {});
      if (place === null && !isOptional) throw new Error(`${name} of ${folder} is not installed`);
      if (place === null || found.has(place)) continue;
      found.set(place, JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')) as Manifest);
      waiting.push(place);
    }
  }
  return [...found.values()];
}

function placeOf(name: string, from: string): string | null {
  for (let folder = from; folder.startsWith(REPOSITORY); folder = path.dirname(folder)) {
    const place = path.join(folder, 'node_modules', name);
    if (existsSync(path.join(place, 'package.json'))) return place;
  }
  return null;
}
