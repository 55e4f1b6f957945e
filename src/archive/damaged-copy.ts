import type { Destination } from '../store/destination';
import type { StoredRecording } from '../store/stored-recording';

/**
 * Frees the name of a damaged copy right before a fresh one gets it. A damaged copy that cannot be renamed
 * keeps its name, and the fresh one gets another.
 *
 * @param damaged what the index says of a copy that is no longer what it was; undefined when there is none
 * @returns for `ArchiveDeps.clearPlace`
 */
export function clearPlaceOf(
  store: Destination,
  damaged: Pick<StoredRecording, 'path' | 'sha256'> | undefined
): (fresh: string) => Promise<void> {
  return async (fresh) => {
    if (damaged?.path === undefined || !store.capabilities.canSetAside) return;
    await store.setAside(damaged.path, { expected: damaged.sha256, fresh }).catch(() => null);
  };
}
