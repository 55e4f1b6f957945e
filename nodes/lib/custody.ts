import { Custody, type TrustedTime } from '../../src/evidence/custody/custody';
import { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import type { StateDatabase } from '../../src/state/state-database';
import { rootCause } from '../../src/errors/root-cause';
import { noteSettings, onDeployed } from './custody-settings';
import type { NodeRedApi } from './node-red';
import { ownIdentity, ownedState, stateDatabase, stateDirectory } from './state';

const recorders = new Map<string, CustodyRecorder>();

type CatchUp = (RED: NodeRedApi, custody: CustodyRecorder) => Promise<void>;

const catchUps = new Set<CatchUp>();

/** @param catchUp enters what the log lacks of the time before it was opened; called once for each log */
export function atFirstLine(catchUp: CatchUp): void {
  catchUps.add(catchUp);
}

/**
 * What takes the lines of this Node-RED's custody log. Like the state, it outlives redeploys. Nothing is opened before the
 * first node joins, or the first line comes.
 */
export function custodyOf(RED: NodeRedApi): CustodyRecorder {
  const directory = stateDirectory(RED);
  const known = recorders.get(directory);
  if (known !== undefined) return known;
  let isFirst = true;
  const recorder: CustodyRecorder = new CustodyRecorder({
    open: () => openCustody(RED, directory),
    onBegun: async () => {
      await noteSettings(RED, recorder, stateDatabase(RED));
      if (!isFirst) return;
      // An open log takes everything from now on.
      isFirst = false;
      for (const catchUp of catchUps) await catchUp(RED, recorder);
    },
    log: (text) => RED.log.warn(text)
  });
  recorders.set(directory, recorder);
  return recorder;
}

/** Enters after each deploy whose settings have changed. Called when the package loads. */
export function watchSettings(RED: NodeRedApi): void {
  onDeployed(RED, () => {
    const custody = custodyOf(RED);
    if (!custody.isRunning) return;
    inOwnTime(() => noteSettings(RED, custody, stateDatabase(RED)), RED);
  });
}

/** A failure of the state is reported by the nodes; it costs a line, which comes with the next deploy. */
function inOwnTime(work: () => Promise<void>, RED: NodeRedApi): void {
  work().catch((error: unknown) =>
    RED.log.warn(`The custody log lacks changed settings: ${rootCause(error)}`)
  );
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
