import type { NotedUpload } from '../../src/store/bucket/upload/upload-log';
import {
  createBucketStore,
  type BucketStore,
  type BucketStoreOptions
} from '../../src/store/bucket/bucket-store';
import { createFolderStore, type FolderStore } from '../../src/store/folder/folder-store';
import { createMessageStore, type MessageStore } from '../../src/store/message/message-store';
import type { ArchiveState } from '../lib/archive-state';
import type { DownloadTarget } from './download-settings';

/**
 * Opens the destination that the settings name.
 *
 * @param state keeps incomplete uploads
 * @param onNotice receives what the user should know about a bucket
 */
export function openDestination(
  target: DownloadTarget,
  { database, owner }: Pick<ArchiveState, 'database' | 'owner'>,
  onNotice: NonNullable<BucketStoreOptions['onNotice']>
): FolderStore | BucketStore | MessageStore {
  switch (target.kind) {
    case 'folder':
      return createFolderStore({ folder: target.folder, owner });
    case 'bucket':
      return createBucketStore({
        settings: target.settings,
        uploadLog: database.collection<NotedUpload>('bucket-uploads'),
        owner: owner.process,
        isDead: (process) => owner.fateOf(process) === 'ended',
        onNotice
      });
    case 'message':
      return createMessageStore(target.maxSize);
  }
}
