import { kindOfFormat } from '../../archive/index/search-entries';
import type { Holds } from '../../evidence/deletion/holds';
import { withoutSecrets } from '../../store/sidecar';
import { locationOf } from '../../store/stored-recording';
import type { FoundFile } from '../search/archive-search';

export interface FoundFiles {
  found: number;
  /** False: there are more than were asked for. */
  complete: boolean;
  files: unknown[];
}

/** What a flow gets of the files that it looks for, latest first. @param most files at most */
export async function findFiles(
  files: AsyncIterable<FoundFile>,
  { holds, most, onFound }: { holds: Pick<Holds, 'active'>; most: number; onFound: (found: number) => void }
): Promise<FoundFiles> {
  const result: FoundFiles = { found: 0, complete: true, files: [] };
  for await (const found of files) {
    if (result.found >= most) {
      result.complete = false;
      break;
    }
    result.files.push(shownFile(found, holds));
    onFound((result.found += 1));
  }
  return result;
}

function shownFile({ key: [recording], file }: FoundFile, holds: Pick<Holds, 'active'>): unknown {
  const cases = holds.active(recording).map(({ id, reason, by, at }) => ({ id, reason, by, at }));
  const { recording: told } = file;
  const shown = { ...told, location: locationOf(told), kind: kindOfFormat(told.format), cases };
  return withoutSecrets(shown);
}
