import { BucketSidecars } from '../store/bucket/bucket-sidecar';
import type { BucketStore } from '../store/bucket/bucket-store';
import type { SidecarWriter } from '../store/sidecar-writer';

/** Sidecars as objects beside the stored ones. */
export function bucketSidecar(store: BucketStore): SidecarWriter {
  const sidecars = new BucketSidecars(store);
  return {
    pathOf: (location) => sidecars.pathOf(location),
    write: (location, recording) => sidecars.write(location, { ...recording }),
    read: async (location) => {
      const found = await sidecars.read(location);
      return found.ok ? found.record : null;
    }
  };
}
