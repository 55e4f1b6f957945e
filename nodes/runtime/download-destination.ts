import type { SidecarWriter } from '../../src/archive/archive-context';
import { folderSidecar } from '../../src/archive/folder-sidecar';
import type { TextWriter } from '../../src/archive/transcript-filing';
import { folderTexts } from '../../src/archive/transcript-folder';
import { createFolderStore, type FolderStore } from '../../src/store/folder-store';
import { createMessageStore } from '../../src/store/message-store';
import type { Store } from '../../src/store/store';
import type { DownloadTarget } from './download-settings';

/** Where a download node stores, and how what describes a file is written there. */
export interface DownloadDestination {
  store: Store;
  sidecar: SidecarWriter;
  texts: TextWriter;
  /** The same text for the same place, whichever node stores there. */
  place: string;
  /** The store again when it is a folder, whose left-overs are cleared away. */
  folder: FolderStore | null;
}

/** Opens the destination that the settings name. */
export function openDestination(target: DownloadTarget): DownloadDestination {
  const beside = { sidecar: folderSidecar, texts: folderTexts() };
  switch (target.kind) {
    case 'folder': {
      const folder = createFolderStore({ folder: target.folder });
      return { ...beside, store: folder, place: folder.folder, folder };
    }
    case 'message':
      return { ...beside, store: createMessageStore(target.maxSize), place: 'message', folder: null };
  }
}
