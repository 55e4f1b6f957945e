import type { SidecarWriter } from '../destination';
import { readSidecar, sidecarPath, writeSidecar } from '../sidecar';

/** Sidecars as files beside the stored ones. */
export const folderSidecar: SidecarWriter = {
  pathOf: sidecarPath,
  write: async (location, recording) => {
    await writeSidecar(location, { ...recording });
  },
  read: async (location) => {
    const found = await readSidecar(location);
    return found.ok ? found.record : null;
  }
};
