import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import type { Installation } from './node-red-settings';

/**
 * For tests that need an installed program. Returns its path, or skips the test and says why. In CI a skipped
 * test fails the run, so a missing program is noticed.
 *
 * @param programs absolute paths or names on the PATH; the first one found is used
 */
export function requireProgram(context: Mocha.Context, ...programs: string[]): string {
  return installed(programs) ?? skip(context, `${programs.join(' or ')} is not installed`);
}

/**
 * The same outside a test.
 *
 * @throws Error when none of them is installed
 */
export function findProgram(...programs: string[]): string {
  const found = installed(programs);
  if (found === undefined) throw new Error(`${programs.join(' or ')} is not installed.`);
  return found;
}

function installed(programs: readonly string[]): string | undefined {
  return programs
    .flatMap((program) => (path.isAbsolute(program) ? [program] : searchPath(program)))
    .find(isRunnable);
}

/** The Node-RED of this repository, or the current one. */
export type NodeRedMajor = 4 | 5;

/**
 * For tests that need Node-RED 5, which does not run on Node.js 20. The environment variables `TEST_NODE_RED_5` (a folder in
 * which it was installed with npm) and `TEST_NODE_RED_5_NODE` (a binary of Node.js 22.9 or later) tell where both are.
 * Skips without them.
 */
export function requireNodeRed5(context: Mocha.Context): Installation {
  const { TEST_NODE_RED_5: folder, TEST_NODE_RED_5_NODE: node } = process.env;
  if (folder === undefined || node === undefined)
    return skip(context, 'TEST_NODE_RED_5 and TEST_NODE_RED_5_NODE name no Node-RED 5');
  return { folder: path.resolve(folder, 'node_modules', 'node-red'), node };
}

/**
 * For tests that need FlowFuse Dashboard, which is too large for a devDependency (135 MB). Skips unless it was installed
 * with npm into the folder `TEST_DASHBOARD`.
 *
 * @returns the folder of the package
 */
export function requireDashboard(context: Mocha.Context): string {
  const name = '@flowfuse/node-red-dashboard';
  const installed = process.env['TEST_DASHBOARD'];
  const folder = path.resolve(installed ?? '', 'node_modules', name);
  if (installed !== undefined && existsSync(folder)) return folder;
  return skip(context, `${name} is not installed in the folder TEST_DASHBOARD`);
}

export interface Mount {
  directory: string;
  unmount(): void;
}

/** For tests that need a file system of a given size (a full disk). Skips where mounting is not permitted. */
export function requireMount(context: Mocha.Context, size = '1m'): Mount {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch {
    rmSync(directory, { recursive: true });
    return skip(context, 'this user may not mount a file system');
  }
  return {
    directory,
    unmount: () => {
      execFileSync('umount', ['-l', directory], { stdio: 'pipe' });
      rmSync(directory, { recursive: true });
    }
  };
}

export interface Address {
  remove(): void;
}

/**
 * For tests that need a server at a specific address. Adds the address to this machine, invisible to others.
 * Skips where that is not permitted.
 *
 * @param address IPv4, such as that of a public service which this machine does not use
 */
export function requireAddress(context: Mocha.Context, address: string): Address {
  const ip = requireProgram(context, 'ip', '/sbin/ip', '/usr/sbin/ip');
  const change = (what: 'add' | 'del'): void => {
    execFileSync(ip, ['addr', what, `${address}/32`, 'dev', 'lo'], { stdio: 'pipe' });
  };
  try {
    // A killed run leaves the address behind.
    if (!hasAddress(address)) change('add');
  } catch {
    return skip(context, 'this user may not give the machine another address');
  }
  return { remove: () => change('del') };
}

function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === address));
}

function skip(context: Mocha.Context, reason: string): never {
  console.warn(`      skipped: ${reason}`);
  return context.skip();
}

function searchPath(program: string): string[] {
  const directories = (process.env['PATH'] ?? '').split(path.delimiter).filter((entry) => entry !== '');
  return directories.map((directory) => path.join(directory, program));
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
