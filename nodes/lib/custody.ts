import { Custody, type TrustedTime } from '../../src/evidence/custody/custody';
import { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import type { StateDatabase } from '../../src/state/state-database';
import type { NodeRedApi } from './node-red';
import { ownIdentity, ownedState, stateDatabase, stateDirectory } from './state';

const recorders = new Map<string, CustodyRecorder>();

/**
 * What takes the lines of this Node-RED's custody log. Like the state, it outlives redeploys. Nothing is opened before the
 * first node joins, or the first line comes.
 */
export function custodyOf(RED: NodeRedApi): CustodyRecorder {
  const directory = stateDirectory(RED);
  const known = recorders.get(directory);
  if (known !== undefined) return known;
  const recorder = new CustodyRecorder({
    open: () => openCustody(RED, directory),
    log: (text) => RED.log.warn(text)
  });
  recorders.set(directory, recorder);
  return recorder;
}

async function openCustody(RED: NodeRedApi, directory: string): Promise<Custody> {
  const state = ownedState(RED);
  const database = stateDatabase(RED);
  return await Custody.open({
    state: directory,
    instance: ownIdentity(RED).instance,
    guard: (when) => state.guard(when),
    log: (text) => RED.log.warn(text),
    trusted: trustedTime(database)
  });
}

/** Milliseconds between two notes of the time: each costs a small disk a page. */
const NOTE_MS = 60_000;

function trustedTime(database: StateDatabase): TrustedTime {
  const notes = database.collection<number>('custody-notes');
  let noted = -Infinity;
  return {
    get: () => notes.get('trusted'),
    set: (time) => {
      if (Math.abs(time - noted) < NOTE_MS) return;
      noted = time;
      // An older time is remembered then.
      database.commitSoon([notes.putting('trusted', time)]).catch(() => undefined);
    }
  };
}
