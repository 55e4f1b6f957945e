import { isAbsolute } from 'node:path';
import { storedRemoval } from '../../src/archive/deletion/stored-removal';
import { CodedError } from '../../src/errors/coded-error';
import { Deletions } from '../../src/evidence/deletion/deletions';
import type { Destination } from '../../src/store/destination';
import { createFolderStore } from '../../src/store/folder/folder-store';
import { factsOfAllQueues } from '../config/queue/queue-facts';
import { type ArchiveState, archiveState } from './archive-state';
import { custodyOf } from './custody';
import type { NodeRedApi } from './node-red';

const opened = new WeakMap<ArchiveState, Promise<Deletions>>();

/**
 * The one way to delete stored files of this Node-RED. What a crash has interrupted is finished first.
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

async function open(RED: NodeRedApi, state: ArchiveState): Promise<Deletions> {
  const custody = await custodyOf(RED).opened();
  const deletions = new Deletions({
    database: state.database,
    custody,
    removal: storedRemoval({
      // Asked each time: nodes with a queue come and go with deploys.
      facts: { changes: (effects) => factsOfAllQueues(state).changes(effects) },
      storeAt: (place) => storeAt(state, place)
    }),
    now: Date.now
  });
  await deletions.resume();
  return deletions;
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
