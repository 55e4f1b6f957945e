import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makePrivateDirectory } from './private-directory';
import { kernelBoot } from './process-identity';
import {
  DATA_FILE,
  ENVIRONMENT,
  MAX_COLLECTIONS,
  StateDatabase,
  type StateOptions,
  reserveLockFile
} from './state-database';
import { isDiskFull } from './state-disk';

/**
 * Exists beside the environment while a process has it open; one that was left behind indicates a crash. In it is the id of
 * the process; once the environment has proven itself, the name of the run of the kernel in its place.
 */
const IN_USE = 'in-use';

/** Milliseconds for which a process has to use an environment. One that is damaged usually ends it at once. */
const PROVEN_MS = 60_000;

const markers = new Set<string>();

interface OpenOptions extends StateOptions {
  /** Called with the new path of a damaged environment. */
  onDamaged: (asideAt: string) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Names the run of the kernel; null if unknown. */
  boot?: string | null;
  /** Milliseconds; see `PROVEN_MS`. */
  provenMs?: number;
}

/**
 * Opens the state for as long as the process runs. After a power cut it is checked first: a damaged file would end
 * the process at every start, including the editor. It is set aside, never deleted, and an empty state takes its
 * place.
 *
 * A check reads everything, which takes seconds when there are millions of entries. It is left out when only the process
 * has ended, because what it wrote is safe with the kernel; but never twice in a row, nor after a process that ended
 * soon: that may have been the fault of the file.
 *
 * @param directory as for `StateDatabase`
 * @throws as `StateDatabase`; also when the state looks damaged while no space is left, which may be the reason
 */
export function openState(directory: string, options: OpenOptions): StateDatabase {
  const { onDamaged, now = Date.now, onMoved, boot = kernelBoot(), provenMs = PROVEN_MS } = options;
  const marker = path.join(directory, IN_USE);
  const environment = path.join(directory, ENVIRONMENT);
  const wasLeft = existsSync(marker);
  const isTrusted = wasLeft && boot !== null && readMarker(marker) === proof(boot);
  if (wasLeft && !isTrusted && existsSync(environment) && isDamaged(environment, MAX_COLLECTIONS)) {
    if (isDiskFull(directory))
      throw new Error(`No space is left in ${directory}, and its state cannot be read.`);
    const asideAt = `${environment}-damaged-${new Date(now()).toISOString().replace(/\D/g, '').slice(0, 14)}`;
    renameSync(environment, asideAt);
    onDamaged(asideAt);
  }
  // Before the environment is opened: if that ends the process, the next start knows why.
  mark(marker);
  const database = new StateDatabase(directory, {
    ...options,
    onMoved: (what) => {
      // Nobody has checked the new files.
      clearTimeout(proving);
      mark(marker);
      onMoved?.(what);
    }
  });
  const proving =
    isTrusted || boot === null ? undefined : setTimeout(() => prove(marker, boot), provenMs).unref();
  return database;
}

/** Unless it is another process's by now, or gone. */
function prove(marker: string, boot: string): void {
  try {
    if (readMarker(marker) === OWN_MARK) writeFileSync(marker, proof(boot));
  } catch {
    // The next start after a crash checks.
  }
}

const OWN_MARK = `${process.pid}\n`;

function proof(boot: string): string {
  return `whole in ${boot}\n`;
}

/** @returns blank when it cannot be read */
function readMarker(marker: string): string {
  try {
    return readFileSync(marker, 'latin1');
  } catch {
    return '';
  }
}

function mark(marker: string): void {
  try {
    makePrivateDirectory(path.dirname(marker));
    writeFileSync(marker, OWN_MARK);
  } catch {
    // The database reports what cannot be written now.
    return;
  }
  if (markers.size === 0) process.once('exit', removeMarkers);
  markers.add(marker);
}

function removeMarkers(): void {
  for (const marker of markers) rmSync(marker, { force: true });
}

/** Milliseconds for reading all entries; a million of them take seconds. */
const CHECK_TIMEOUT_MS = 120_000;

/** The signals that end a process when it reads where there is nothing, or nonsense. */
const FATAL_SIGNALS: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP'
]);

const DAMAGED = 3;

/** Printed once everything is read: what happens to the process afterwards is not the fault of the file. */
const WHOLE = 'whole';

/** LMDB's codes for "page not found", "corrupted", "panic" and "invalid" (lmdb.h, "Return Codes"). */
const CHECK = `
  const [lmdb, path, maxDbs] = process.argv.slice(1);
  const { open } = require(lmdb);
  try {
    const root = open({ path, maxDbs: Number(maxDbs), readOnly: true });
    // Opening one ends what is being read, so all are opened first. Their bytes are read, but not decoded: that takes longer
    // than the rest, and finds nothing that ends a process.
    const databases = [...root.getKeys()].map((name) => root.openDB({ name, encoding: 'binary' }));
    for (const database of databases) for (const entry of database.getRange()) void entry;
    require('node:fs').writeSync(1, '${WHOLE}');
  } catch (error) {
    const damaged = [-30797, -30796, -30795, -30793].includes(error.code);
    process.exit(damaged ? ${DAMAGED} : 0);
  }
  process.exit(0);
`;

/**
 * Whether an LMDB environment is damaged, found by reading all of it in a separate process: LMDB maps its file
 * into memory and trusts it, so a damaged file crashes the process that reads it. A power cut on a memory card
 * leaves such files. Writes nothing there.
 *
 * @param environment its directory
 * @returns false when unknown, too
 */
export function isDamaged(environment: string, maxDbs: number): boolean {
  let view: string | undefined;
  try {
    view = viewOf(path.join(environment, DATA_FILE));
    return dies(view, maxDbs);
  } catch {
    return false;
  } finally {
    if (view !== undefined) rmSync(view, { recursive: true, force: true });
  }
}

/** An environment of the same data, with a separate lock file: the disk of the real one may be full. */
function viewOf(file: string): string {
  const view = mkdtempSync(path.join(tmpdir(), 'telnyx-state-check-'));
  try {
    const data = path.join(view, DATA_FILE);
    try {
      symlinkSync(path.resolve(file), data);
    } catch {
      // Not every user may make links on Windows.
      copyFileSync(file, data);
    }
    reserveLockFile(view);
    return view;
  } catch (error) {
    rmSync(view, { recursive: true, force: true });
    throw error;
  }
}

function dies(view: string, maxDbs: number): boolean {
  // When Node-RED is embedded in Electron, execPath is not plain Node.js.
  const environment: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  // Options meant for Node-RED, such as a debugger's port, which is taken.
  Reflect.deleteProperty(environment, 'NODE_OPTIONS');
  const { status, signal, stdout } = spawnSync(
    process.execPath,
    ['-e', CHECK, require.resolve('lmdb'), view, String(maxDbs)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: CHECK_TIMEOUT_MS,
      env: environment
    }
  );
  if (stdout === WHOLE) return false;
  return status === DAMAGED || (signal !== null && FATAL_SIGNALS.has(signal));
}
