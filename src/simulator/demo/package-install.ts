import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runNpm } from './program';

/**
 * Installs this package into a Node-RED user directory like a user: npm packs it and installs the tarball, with
 * production dependencies only.
 *
 * @param repository folder with the built package
 * @param userDir folder with a package.json
 * @returns name and size of the tarball, for display
 * @throws Error when npm fails
 */
export async function installPackage(
  repository: string,
  userDir: string,
  signal: AbortSignal
): Promise<string> {
  // Under the userDir, so that package.json keeps naming a file that exists.
  const folder = path.join(userDir, 'package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  // The package is already built, and building it while packing would remove the files.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { filename, size } = readPacked(await runNpm(pack, repository, signal));
  const tarball = `./package/${filename}`;
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', tarball];
  await runNpm(install, userDir, signal);
  return `${filename}, ${Math.ceil(size / 1024)} KB`;
}

function readPacked(json: string): { filename: string; size: number } {
  const content: unknown = JSON.parse(json);
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  if (typeof first !== 'object' || first === null || !('filename' in first) || !('size' in first)) {
    throw new Error('npm pack did not say what it packed; npm 9 or newer is needed');
  }
  return { filename: path.basename(String(first.filename)), size: Number(first.size) };
}
