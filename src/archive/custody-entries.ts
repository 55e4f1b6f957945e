import { type CustodyEntry, recordingName } from '../evidence/custody/custody-line';
import { keyDigest } from '../values/fields';
import { locationOf } from '../store/stored-recording';
import type { ArchiveFacts } from './archive-facts';
import type { Effects, PlacedFile } from './effects';
import type { IndexedFile } from './index/stored-index';

/**
 * What the custody log has to tell of the files that a job enters into the index. To be asked before they are entered: what is
 * known already has its lines.
 *
 * @param node id of the download node
 * @throws as `facts.find`
 */
export async function custodyEntries(
  { stored }: Pick<Effects, 'stored'>,
  facts: Pick<ArchiveFacts, 'find'>,
  node: string
): Promise<CustodyEntry[]> {
  const entries: CustodyEntry[] = [];
  const told = new Map<string, IndexedFile>();
  for (const placed of stored) {
    const { identity, recording } = placed.file;
    const name = [placed.place, identity, recording.sha256, locationOf(recording), recording.version_id].join(
      '\n'
    );
    const known = told.get(name) ?? (await facts.find(identity)).find((file) => isSame(file, placed.file));
    told.set(name, placed.file);
    if (known === undefined) entries.push(entryOf('stored', placed, node));
    const before = known?.recording.deleted_at_source ?? null;
    if (before === null && recording.deleted_at_source !== null)
      entries.push(entryOf('deleted-at-source', placed, node));
  }
  return entries;
}

/** The same bytes in the same place. */
function isSame({ recording: one }: IndexedFile, { recording: other }: IndexedFile): boolean {
  const names = ['sha256', 'path', 'bucket', 'key'] as const;
  return (
    names.every((name) => one[name] === other[name]) &&
    (one.version_id ?? null) === (other.version_id ?? null)
  );
}

function entryOf(
  event: 'stored' | 'deleted-at-source',
  { place, file: { identity, recording } }: PlacedFile,
  node: string
): CustodyEntry {
  const { recording_id, sha256, version_id, size, destination, format, sample } = recording;
  const at = event === 'stored' ? recording.stored_at : recording.deleted_at_source;
  return {
    event,
    recording: recordingName(recording_id, identity),
    sha256,
    versionId: version_id ?? null,
    actor: `node:${node}`,
    details: {
      ...{ place: keyDigest(place), destination, at, bytes: size, format },
      ...(sample === true && { sample })
    }
  };
}
