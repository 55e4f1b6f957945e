import { homedir } from 'node:os';
import path from 'node:path';
import { StateDatabase } from '../../src/state/state-database';
import type { NodeRedApi } from './node-red';

const databases = new Map<string, StateDatabase>();

/** Where this package keeps its state: `telnyx` in Node-RED's user directory. */
export function stateDirectory(RED: Pick<NodeRedApi, 'settings'>): string {
  return path.join(RED.settings.userDir ?? path.join(homedir(), '.node-red'), 'telnyx');
}

/**
 * The one state database of this Node-RED. It stays open while the process runs, so that a redeploy
 * neither loses nor repeats anything.
 *
 * @throws an error of the file system when the directory cannot be written; the next call tries again
 */
export function stateDatabase(RED: Pick<NodeRedApi, 'settings'>): StateDatabase {
  const directory = stateDirectory(RED);
  let database = databases.get(directory);
  if (database === undefined) {
    database = new StateDatabase(directory);
    databases.set(directory, database);
  }
  return database;
}
