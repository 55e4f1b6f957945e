import { lstat, opendir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { IndexedFile, StoredIndex } from '../archive/index/stored-index';
import type { RecordingOrigins } from '../recording/origin';
import { CodedError } from '../errors/coded-error';
import { isSetAside } from '../store/folder/quarantine';
import { errnoOf } from '../store/folder/file-system';
import { readSidecar } from '../store/sidecar';
import { storeFault } from '../store/store-fault';
import type { StateChange } from '../state/state-database';
import { sidecarEntry } from './sidecar-entry';
import type { DamagedFile } from './verify-stored';

export interface RebuildCounts {
  sidecars: number;
  /** Entered into the index in this run. */
  indexed: number;
  /** Those that were in the index already. */
  known: number;
  /** Their file is gone; not entered. */
  missing: number;
  /** Their file has another size; entered all the same. */
  changed: number;
  /** Not entered: nothing in them says which recording they are of, or they cannot be read. */
  unusable: number;
}

export interface RebuildParts {
  /** Absolute; the folder as the download node has it. */
  folder: string;
  /** Of that folder. */
  index: StoredIndex;
  /** The providers that there are. */
  origins: RecordingOrigins;
  /** Makes changes durable. */
  commit: (changes: readonly StateChange[]) => Promise<void>;
  /** Hands a file that is not as its sidecar says to the flow; resolves when the next one may come. */
  emit: (file: DamagedFile) => Promise<void>;
  /** Told after every few sidecars. */
  onSidecar: (counts: RebuildCounts) => void;
  signal: AbortSignal;
}

/** Entries that are written with one sync. */
const STEP = 500;
/** Sidecars that are read at once. */
const AT_ONCE = 16;

/**
 * Enters what the sidecars of a folder say into the index: after a move, or when the state is lost. Sizes are
 * compared; hashes are for the check of the archive.
 *
 * @param counts brought up to date
 * @throws CodedError `STORE_FAILED` when the folder cannot be read or has no sidecar; `signal.reason` when aborted; as `emit`
 */
export async function rebuildIndex(parts: RebuildParts, counts: RebuildCounts): Promise<void> {
  const { index, origins, commit, emit, onSidecar, signal } = parts;
  let changes: StateChange[] = [];
  const write = async (): Promise<void> => {
    await commit(changes);
    changes = [];
  };
  for await (const sidecars of someAtOnce(sidecarsBelow(resolve(parts.folder), signal))) {
    for (const found of await Promise.all(sidecars.map((sidecar) => entryOf(sidecar, origins)))) {
      signal.throwIfAborted();
      if (found === 'other') continue;
      counts.sidecars += 1;
      if (found === 'unusable') {
        counts.unusable += 1;
        continue;
      }
      const { entry, damage } = found;
      if (damage !== null) counts[damage] += 1;
      if (damage !== 'missing' && isKnown(index, entry)) counts.known += 1;
      else if (damage !== 'missing') {
        changes.push(index.entering(entry));
        counts.indexed += 1;
      }
      if (damage !== null) {
        // A caller that fetches it again finds in the index which file is damaged.
        await write();
        await emit({ ...entry, damage });
      }
    }
    if (changes.length >= STEP) await write();
    onSidecar(counts);
  }
  await write();
  if (counts.sidecars === 0) throw nothingThere(parts.folder);
}

function nothingThere(folder: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `There is no JSON file of a stored recording in ${folder}, so nothing was entered into the index. Check that it is the ` +
      'folder of the download node, that its disk is mounted, and that the download node writes JSON files.'
  );
}

/** Disks and network shares answer several questions in the time of one. */
async function* someAtOnce(paths: AsyncIterable<string>): AsyncGenerator<string[]> {
  let some: string[] = [];
  for await (const path of paths) {
    some.push(path);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  yield some;
}

interface FoundEntry {
  entry: IndexedFile;
  damage: DamagedFile['damage'] | null;
}

async function entryOf(
  sidecar: string,
  origins: RecordingOrigins
): Promise<FoundEntry | 'other' | 'unusable'> {
  const file = sidecar.slice(0, -'.json'.length);
  const read = await readSidecar(file);
  if (!read.ok) return 'unusable';
  const found = sidecarEntry(read.record, file, origins);
  if (found.kind !== 'entry') return found.kind === 'other' ? 'other' : 'unusable';
  const { entry } = found;
  try {
    const { size } = await lstat(file);
    return { entry, damage: size === entry.recording.size ? null : 'changed' };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { entry, damage: 'missing' };
    throw storeFault(`look at ${file}`, error);
  }
}

function isKnown(index: StoredIndex, { identity, wantedFormat, recording }: IndexedFile): boolean {
  const known = index.find(identity).find((file) => file.wantedFormat === wantedFormat);
  return known?.recording.path === recording.path && known?.recording.sha256 === recording.sha256;
}

/** Hidden folders and what was set aside are left out; symbolic links are not followed. */
async function* sidecarsBelow(folder: string, signal: AbortSignal): AsyncGenerator<string> {
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    try {
      for await (const entry of await opendir(next)) {
        signal.throwIfAborted();
        const path = join(next, entry.name);
        if (entry.name.startsWith('.')) continue;
        if (entry.isDirectory()) folders.push(path);
        else if (entry.isFile() && entry.name.endsWith('.json') && !isSetAside(basename(path))) yield path;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw storeFault(`read the folder ${next}`, error);
    }
  }
}

export function noRebuildCounts(): RebuildCounts {
  return { sidecars: 0, indexed: 0, known: 0, missing: 0, changed: 0, unusable: 0 };
}
