import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readLock, runtimePackages } from './runtime-packages';

/** What is read or changed of CycloneDX 1.5. */
export interface Component {
  'bom-ref': string;
  name: string;
  version: string;
  purl: string;
  hashes?: { alg: string; content: string }[];
  licenses?: { license: { id: string } }[];
}

export interface Sbom {
  bomFormat: string;
  specVersion: string;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface Manifest {
  name: string;
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/**
 * The bill of materials of what runs on a user's machine (CycloneDX), made by npm from a manifest and a lock without
 * development. `npm sbom --omit dev` in this folder would leave out what development needs, too (`tslib`), and what is
 * copied into this package.
 *
 * @param root folder of the package
 */
export function sbom(root: string): Sbom {
  const folder = mkdtempSync(path.join(tmpdir(), 'telnyx-sbom-'));
  try {
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
    writeRuntime(folder, root, manifest);
    const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
    const bill = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' })) as Sbom;
    // npm takes the name of the folder.
    bill.metadata.component.name = manifest.name;
    return bill;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeRuntime(folder: string, root: string, manifest: Manifest): void {
  const lock = readLock(root);
  const packages = runtimePackages(lock);
  const copied = packages.filter(({ way }) => way === 'a copy of a file');
  const dependencies = {
    ...manifest.dependencies,
    ...Object.fromEntries(copied.map(({ name, version }) => [name, version]))
  };
  const own = { ...manifest, dependencies, devDependencies: undefined };
  const locked = packages.map(({ place }) => [place, { ...lock.packages[place], dev: undefined }] as const);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(own));
  writeFileSync(
    path.join(folder, 'package-lock.json'),
    JSON.stringify({ ...lock, packages: { '': own, ...Object.fromEntries(locked) } })
  );
}
