import { spawnSync } from 'node:child_process';

/** Milliseconds for a look through all entries; a million of them take seconds. */
const CHECK_TIMEOUT_MS = 120_000;

/** What a process dies of that reads where nothing, or nonsense, is. */
const FATAL_SIGNALS: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP'
]);
const DAMAGED = 3;
/** Said when all was read: what happens to the process afterwards says nothing of the file. */
const WHOLE = 'whole';

/** LMDB's codes for "page not found", "corrupted", "panic" and "invalid" (lmdb.h, "Return Codes"). */
const CHECK = `
  const [lmdb, path, maxDbs] = process.argv.slice(1);
  const { open } = require(lmdb);
  try {
    const root = open({ path, maxDbs: Number(maxDbs), overlappingSync: false, eventTurnBatching: false });
    for (const name of root.getKeys()) {
      for (const entry of root.openDB({ name }).getRange()) void entry;
    }
    require('node:fs').writeSync(1, '${WHOLE}');
  } catch (error) {
    const damaged = [-30797, -30796, -30795, -30793].includes(error.code);
    process.exit(damaged ? ${DAMAGED} : 0);
  }
  process.exit(0);
`;

/**
 * Whether an LMDB environment is damaged, by reading all of it in a process of its own: LMDB maps its file
 * into memory and trusts it, so that a damaged one ends the process that looks at it. A power cut on a
 * memory card leaves such files behind.
 *
 * @param file directory of the environment
 * @returns false also when it could not be found out
 */
export function isDamaged(file: string, maxDbs: number): boolean {
  // Where Node-RED is embedded in Electron, execPath is not Node.js by itself.
  const environment: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  // Options meant for Node-RED, such as a debugger's port, which is taken.
  Reflect.deleteProperty(environment, 'NODE_OPTIONS');
  const { status, signal, stdout } = spawnSync(
    process.execPath,
    ['-e', CHECK, require.resolve('lmdb'), file, String(maxDbs)],
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
