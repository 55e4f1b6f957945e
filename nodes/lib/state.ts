import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { OwnedState } from '../../src/state/owned-state';
import { makePrivateDirectory } from '../../src/state/private-directory';
import type { ProcessIdentity } from '../../src/state/process-identity';
import type { StateDatabase } from '../../src/state/state-database';
import type { NodeRedApi } from './node-red';

/** Node-RED's user directory, absolute; its default if the settings name none. */
export function userDirectory({ settings }: Pick<NodeRedApi, 'settings'>): string {
  return path.resolve(settings.userDir ?? path.join(homedir(), '.node-red'));
}

type StateApi = Pick<NodeRedApi, 'settings'> & Partial<Pick<NodeRedApi, 'log'>>;

const states = new Map<string, OwnedState>();

/** Where this package keeps its state: `telnyx` in Node-RED's user directory. */
export function stateDirectory(RED: Pick<NodeRedApi, 'settings'>): string {
  return path.join(userDirectory(RED), 'telnyx');
}

/**
 * The state of this Node-RED, which one process owns. Two Node-REDs in one process with one user
 * directory share it.
 */
export function ownedState(RED: StateApi): OwnedState {
  const directory = stateDirectory(RED);
  // Every delivery needs it, so the disk is not accessed once it is known.
  const known = states.get(directory);
  if (known !== undefined) return known;
  const name = realName(directory);
  const state = states.get(name) ?? new OwnedState(directory, { log: (text) => RED.log?.error(text) });
  states.set(directory, state);
  states.set(name, state);
  return state;
}

/**
 * The one state database of this Node-RED. It stays open while the process runs, so that a redeploy
 * neither loses nor repeats anything.
 *
 * @throws as `OwnedState.database`
 */
export function stateDatabase(RED: StateApi): StateDatabase {
  return ownedState(RED).database();
}

/**
 * Who this process is: part of every name that must be unique to it.
 *
 * @throws an error of the file system when the directory can be neither read nor written
 */
export function ownIdentity(RED: StateApi): ProcessIdentity {
  return ownedState(RED).identity;
}

/** The same directory may have several paths. */
function realName(directory: string): string {
  try {
    makePrivateDirectory(directory);
    return realpathSync(directory);
  } catch {
    // The state reports it when the directory cannot be created.
    return directory;
  }
}
