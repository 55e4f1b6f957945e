import type { SidecarWriter } from '../../src/store/sidecar-writer';
import { bucketSidecar } from '../../src/archive/bucket-sidecar';
import { folderSidecar } from '../../src/store/folder/folder-sidecar';
import { bucketTexts } from '../../src/store/bucket/transcript-writer';
import type { TextWriter } from '../../src/archive/transcripts/transcript-filing';
import { folderTexts } from '../../src/store/folder/transcript-writer';
import { keyOfLocation } from '../../src/store/bucket/object-key';
import type { NotedUpload } from '../../src/store/bucket/upload/upload-log';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import {
  createBucketStore,
  type BucketStore,
  type BucketStoreOptions
} from '../../src/store/bucket/bucket-store';
import { createFolderStore, type FolderStore } from '../../src/store/folder/folder-store';
import { createMessageStore } from '../../src/store/message/message-store';
import type { Store } from '../../src/store/destination';
import type { ArchiveState } from '../lib/archive-state';
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
  /** The store again when it is a bucket, whose incomplete uploads are dropped. */
  bucket: BucketStore | null;
}

/**
 * Opens the destination that the settings name.
 *
 * @param state holds what is under way
 * @param onNotice told what the user should know of a bucket
 */
export function openDestination(
  target: DownloadTarget,
  { database, owner }: Pick<ArchiveState, 'database' | 'owner'>,
  onNotice: NonNullable<BucketStoreOptions['onNotice']>
): DownloadDestination {
  const beside = { sidecar: folderSidecar, texts: folderTexts() };
  switch (target.kind) {
    case 'folder': {
      const folder = createFolderStore({ folder: target.folder, owner });
      return { ...beside, store: folder, place: folder.folder, folder, bucket: null };
    }
    case 'bucket': {
      const { settings } = target;
      const uploadLog = database.collection<NotedUpload>('bucket-uploads');
      const bucket = createBucketStore({
        settings,
        uploadLog: uploadLog,
        owner: owner.process,
        isDead: (process) => owner.fateOf(process) === 'ended',
        onNotice
      });
      return {
        store: bucket,
        sidecar: bucketSidecar(bucket),
        texts: bucketTexts(bucket.objects, (location) => keyOfLocation(settings, location)),
        place: placeOf(settings),
        folder: null,
        bucket
      };
    }
    case 'message': {
      const store = createMessageStore(target.maxSize);
      return { ...beside, store, place: 'message', folder: null, bucket: null };
    }
  }
}

function placeOf({ endpoint, bucket, prefix }: BucketSettings): string {
  return `s3://${bucket}/${prefix} at ${endpoint ?? 'AWS'}`;
}
