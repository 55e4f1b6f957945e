import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const REPOSITORY = path.resolve(__dirname, '../..');

/** The userDir with the installed package; processes of one test run inherit it. */
const TEMPLATE = 'TEST_PACKED_USER_DIR';

/**
 * Packs the package and installs it like a user: with npm, from the tarball of `npm pack`.
 *
 * @returns the userDir, the same one for this process and those that it starts
 */
export function packOnce(): string {
  return (process.env[TEMPLATE] ??= installOnce());
}

/**
 * Installs the package into a userDir. Packing and installing happen once per test run; the files in each userDir are
 * hard links to the installed ones, because thousands of copies for dozens of Node-REDs would take minutes.
 */
export function installPackage(userDir: string): void {
  const template = packOnce();
  // npm and Node-RED write to this file, so each userDir has its own.
  cpSync(path.join(template, 'package.json'), path.join(userDir, 'package.json'));
  linkTree(path.join(template, 'node_modules'), path.join(userDir, 'node_modules'));
}

/** Makes a package that npm installed elsewhere one of the packages of a userDir, by a symbolic link. */
export function linkPackage(folder: string, userDir: string): void {
  const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { name: string };
  const link = path.join(userDir, 'node_modules', name);
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(folder, link);
}

function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isFile()) linkSync(source, target);
    else cpSync(source, target, { verbatimSymlinks: true });
  }
}

function installOnce(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-packed-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  if (!existsSync(path.join(REPOSITORY, 'dist', 'nodes'))) npm(['run', 'build'], REPOSITORY);
  // Already built: another build during the tests would remove dist/ under other specs.
  const packed = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', directory], REPOSITORY);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const userDir = path.join(directory, 'user-dir');
  cpSync(path.join(directory, filename), path.join(userDir, 'package.tgz'));
  writeFileSync(path.join(userDir, 'package.json'), '{"name":"node-red-project","private":true}');
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', './package.tgz'], userDir);
  return userDir;
}

function npm(args: string[], cwd: string): string {
  const environment = { ...process.env };
  // `npm test` exports its own settings as npm_config_* and npm_package_*; a user's npm has none of them.
  for (const name of Object.keys(environment)) {
    if (/^npm_(package|lifecycle|command|execpath)/.test(name)) Reflect.deleteProperty(environment, name);
  }
  // Node-RED brings an older npm, which builds even when told not to; users have that of the machine.
  const own = path.join('node_modules', '.bin');
  const directories = (environment['PATH'] ?? '').split(path.delimiter).filter((each) => !each.endsWith(own));
  environment['PATH'] = directories.join(path.delimiter);
  return execFileSync('npm', args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe']
  });
}
