import { isAbsolute } from 'node:path';
import type { Destination } from '../../store/destination';
import { createFolderStore } from '../../store/folder/folder-store';
import type { PartOwner } from '../../store/folder/parts/part-owner';
import { partialCopyPrefix } from '../queue/job';
import type { NodeResumeStates } from './resume-state';

export interface Clearance {
  /** Id of the download node. */
  node: string;
  /** Where it stores. */
  destination: Pick<Destination, 'sweep'>;
  /** Whose the partial copies are. */
  owner: PartOwner;
  notes: NodeResumeStates;
  /** Also those that a job could resume. */
  all: boolean;
}

/**
 * Deletes the partial copies of a node that no job can resume: those without a note, and those that
 * are where the node stored before its settings were changed. Never rejects: a folder that cannot be read
 * now is reported by the first recording that is to be stored.
 */
export async function clearPartialCopies({ node, destination, owner, notes, all }: Clearance): Promise<void> {
  const prefix = partialCopyPrefix(node);
  const isWanted = (copyId: string): boolean =>
    !copyId.startsWith(prefix) || (!all && notes.begun(copyId) !== undefined);
  try {
    await destination.sweep(isWanted);
    for (const [place, copyIds] of notes.elsewhere()) {
      if (isAbsolute(place)) {
        const left = new Set(copyIds);
        await createFolderStore({ folder: place, owner }).sweep((copyId) => !left.has(copyId));
      }
      for (const copyId of copyIds) await notes.forget(copyId);
    }
  } catch {
    // As said above.
  }
}
