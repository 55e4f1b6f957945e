import { homedir } from 'node:os';
import path from 'node:path';
import { instanceId } from '../../src/state/instance-id';
import { openState } from '../../src/state/open-state';
import { processIdentity, type ProcessIdentity } from '../../src/state/process-identity';
import type { StateDatabase } from '../../src/state/state-database';
import type { NodeRedApi } from './node-red';

const databases = new Map<string, StateDatabase>();

/** Where this package keeps its state: `telnyx` in Node-RED's user directory. */
export function stateDirectory(RED: Pick<NodeRedApi, 'settings'>): string {
  return path.join(RED.settings.userDir ?? path.join(homedir(), '.node-red'), 'telnyx');
}

const identities = new Map<string, ProcessIdentity>();

/**
 * Who this process is: part of every name that it must not share with another process.
 *
 * @throws an error of the file system when the directory can be neither read nor written
 */
export function ownIdentity(RED: Pick<NodeRedApi, 'settings'>): ProcessIdentity {
  const directory = stateDirectory(RED);
  const identity = identities.get(directory) ?? processIdentity(instanceId(directory));
  identities.set(directory, identity);
  return identity;
}

/**
 * The one state database of this Node-RED. It stays open while the process runs, so that a redeploy
 * neither loses nor repeats anything.
 *
 * @throws an error of the file system when the directory cannot be written; the next call tries again
 */
export function stateDatabase(
  RED: Pick<NodeRedApi, 'settings'> & Partial<Pick<NodeRedApi, 'log'>>
): StateDatabase {
  const directory = stateDirectory(RED);
  let database = databases.get(directory);
  if (database === undefined) {
    database = openState(directory, (asideAt) =>
      RED.log?.error(
        `The state of the Telnyx nodes was damaged, perhaps by a power cut, and lies in ${asideAt} now. They go ` +
          'on without it: deliveries of the last 24 hours may come twice, and downloads that were under way ' +
          'are forgotten. Let a recording list node look for the recordings that are missing.'
      )
    );
    databases.set(directory, database);
  }
  return database;
}
