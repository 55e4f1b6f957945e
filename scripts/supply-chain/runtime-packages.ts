import { readFileSync } from 'node:fs';
import path from 'node:path';

/** How a package reaches a user: with `npm install`, only on some platforms, or as a file in this package. */
export type Way = 'installed' | 'where it fits' | 'a copy of a file';

export interface RuntimePackage {
  /** In package-lock.json, such as `node_modules/lmdb`. */
  place: string;
  name: string;
  version: string;
  /** An SPDX expression, as the package states it; blank when it states none. */
  licence: string;
  way: Way;
}

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
}

/** What is read of package-lock.json. */
export interface Lock {
  packages: Record<string, Locked>;
}

/** Development dependencies of which scripts/build.mjs copies a file into the package. */
const COPIED = ['wavesurfer.js'];

/** @param root folder of package-lock.json */
export function readLock(root: string): Lock {
  return JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lock;
}

/**
 * Everything of others that runs on a user's machine, sorted by name: the whole tree of dependencies, for all platforms,
 * and what is copied into this package.
 */
export function runtimePackages(lock: Lock): RuntimePackage[] {
  return Object.entries(lock.packages)
    .flatMap(([place, locked]) => {
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const way = place === '' ? null : wayOf(name, locked);
      const { version = '', license = '' } = locked;
      return way === null ? [] : [{ place, name, version, licence: license, way }];
    })
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function wayOf(name: string, locked: Locked): Way | null {
  if (locked.dev === true) return COPIED.includes(name) ? 'a copy of a file' : null;
  return locked.optional === true ? 'where it fits' : 'installed';
}

/** @returns name and version, such as `lmdb@2.9.4` */
export function keyOf({ name, version }: { name: string; version: string }): string {
  return `${name}@${version}`;
}
