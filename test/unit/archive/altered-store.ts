import { createFolderStore } from '../../../src/store/folder/folder-store';
import type { Destination, FileToPublish, PublishedFile } from '../../../src/store/destination';
import { testOwner } from '../store/folder/store-fixture';

type Publish = (file: FileToPublish) => Promise<PublishedFile>;

/** A folder as a store that does something else on publication. @param alter calls `publish`, or not */
export function alteredStore(
  folder: string,
  alter: (file: FileToPublish, publish: Publish) => Promise<PublishedFile>
): Destination {
  const store = createFolderStore({ folder, owner: testOwner() });
  return {
    ...store,
    openPart: async (jobId) => {
      const part = await store.openPart(jobId);
      const publish: Publish = part.publish.bind(part);
      part.publish = (file) => alter(file, publish);
      return part;
    }
  };
}
