import { Custody, type TrustedTime } from '../../src/evidence/custody/custody';
import { CheckpointCopies, type CheckpointStore } from '../../src/evidence/custody/checkpoint-copies';
import { CustodyRecorder } from '../../src/evidence/custody/custody-recorder';
import {
  type Authority,
  TimeStampAnchor,
  timeStampUrl
} from '../../src/evidence/timestamp/time-stamp-anchor';
import type { StateDatabase } from '../../src/state/state-database';
import { rootCause } from '../../src/errors/root-cause';
import { noteSettings, onDeployed } from './custody-settings';
import { CUSTODY_COPIES } from '../../src/store/folder/archive-path';
import { keepObject } from '../../src/store/bucket/kept-object';
import { archiveState } from './archive-state';
import { proxyOf } from '../config/proxy-access';
import type { NodeRedApi, RedNode } from './node-red';
import { onClose } from './on-input';
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
      for (const catchUp of catchUps) await catchUp(RED, recorder);
      // An open log takes everything from now on.
      isFirst = false;
    },
    log: (text) => RED.log.warn(text)
  });
  recorders.set(directory, recorder);
  return recorder;
}

/** For `ProviderOptions.onDate`: compares the clock of this machine with that of an API. */
export function apiDates(RED: NodeRedApi): (date: string, host: string) => void {
  return (date, name) => custodyOf(RED).noteDate(date, { name, mayConfirm: true });
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
    // A warning would stand in the sidebar Debug of everybody who begins.
    note: (text) => RED.log.info(text),
    trusted: trustedTime(database),
    anchor: new TimeStampAnchor(() => authorityOf(RED, directory)),
    copies: new CheckpointCopies(() => bucketsOf(RED))
  });
}

/** The buckets that download nodes store in. */
function bucketsOf(RED: NodeRedApi): CheckpointStore[] {
  const folder = `${CUSTODY_COPIES}/${ownIdentity(RED).instance}`;
  return [...archiveState(RED).buckets.values()].map((bucket) => ({
    place: bucket.place,
    keep: (name, bytes) => keepObject(bucket, `${folder}/${name}`, bytes)
  }));
}

/** By the directory of the state, then by the id of the node that has set it. */
const authorities = new Map<string, Map<string, Authority>>();

/**
 * Has the checkpoints of the custody log stamped by an authority, until the node closes.
 *
 * @param authority its address as `timeStampUrl` returns it
 */
export function stampCheckpoints(RED: NodeRedApi, node: RedNode, authority: Authority): void {
  const directory = stateDirectory(RED);
  const set = authorities.get(directory) ?? new Map<string, Authority>();
  authorities.set(directory, set.set(node.id, authority));
  onClose(node, () => void set.delete(node.id));
}

/** The one that a node has set, else that of the environment. @throws CodedError `BAD_SETTING` */
function authorityOf(RED: NodeRedApi, directory: string): Authority | null {
  const [first] = authorities.get(directory)?.values() ?? [];
  if (first !== undefined) return first;
  const address = process.env['TELNYX_TIMESTAMP_URL'] ?? '';
  return address === '' ? null : { url: timeStampUrl(address), proxy: proxyOf(RED, '') };
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
