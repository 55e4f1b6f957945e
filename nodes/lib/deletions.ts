import { isAbsolute } from 'node:path';
import { storedRemoval } from '../../src/archive/deletion/stored-removal';
import { CodedError } from '../../src/errors/coded-error';
import { rootCause } from '../../src/errors/root-cause';
import { Deletions } from '../../src/evidence/deletion/deletions';
import type { Destination } from '../../src/store/destination';
import { createFolderStore } from '../../src/store/folder/folder-store';
import { factsOfAllQueues } from '../config/queue/queue-facts';
import { type ArchiveState, archiveState } from './archive-state';
import { custodyOf } from './custody';
import type { NodeRedApi } from './node-red';

const opened = new WeakMap<ArchiveState, Promise<Deletions>>();

/** Milliseconds until what could not be finished is tried again. */
const RETRY_MS = 5 * 60 * 1000;

/**
 * The one way to delete stored files of this Node-RED. What a crash has interrupted is finished meanwhile.
 *
 * @throws as the state and the custody log do: nothing is deleted then
 */
export function deletionsOf(RED: NodeRedApi): Promise<Deletions> {
  const state = archiveState(RED);
  const known = opened.get(state);
  if (known !== undefined) return known;
  const opening = open(RED, state);
  opened.set(state, opening);
  opening.catch(() => opened.delete(state));
  return opening;
}

/**
 * Finishes what an earlier process began to delete, or was to delete after a release; does nothing when there is nothing. Call it
 * whenever a node has begun that stores: it may be the one whose bucket is meant. What fails is tried again every five minutes.
 *
 * @returns never rejects
 */
export async function finishDeletions(RED: NodeRedApi): Promise<void> {
  await resume(RED, (deletions) => deletions.runDeferred());
}

async function resume(RED: NodeRedApi, then: (deletions: Deletions) => Promise<unknown>): Promise<void> {
  clearTimeout(retry);
  try {
    if (!Deletions.isAnyLeft(archiveState(RED).database)) return;
    const deletions = await deletionsOf(RED);
    const { failed } = await deletions.resume();
    await then(deletions);
    if (failed.length > 0) throw failed[0];
  } catch (error) {
    const reason = rootCause(error);
    if (reason !== told)
      RED.log.info(`A deletion could not be finished yet: ${reason} It is tried again every five minutes.`);
    told = reason;
    clearTimeout(retry);
    retry = setTimeout(() => void resume(RED, () => Promise.resolve()), RETRY_MS).unref();
  }
}

let retry: NodeJS.Timeout | undefined;
/** Why it was tried again the last time: the log has each reason once. */
let told = '';

async function open(RED: NodeRedApi, state: ArchiveState): Promise<Deletions> {
  const custody = await custodyOf(RED).opened();
  return new Deletions({
    database: state.database,
    custody,
    removal: storedRemoval({
      // Asked each time: nodes with a queue come and go with deploys.
      facts: { changes: (effects) => factsOfAllQueues(state).changes(effects) },
      storeAt: (place) => storeAt(state, place)
    }),
    now: Date.now
  });
}

function storeAt({ owner, buckets }: ArchiveState, place: string): Pick<Destination, 'erase'> {
  if (isAbsolute(place)) return createFolderStore({ folder: place, owner });
  const bucket = [...buckets.values()].find((each) => each.place === place);
  if (bucket !== undefined) return bucket;
  throw new CodedError(
    'STORE_FAILED',
    'No download node stores in the bucket of a recording that is to be deleted. Deploy one with that bucket.',
    { retryable: true }
  );
}
