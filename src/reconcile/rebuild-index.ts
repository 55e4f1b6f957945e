import { lstat, opendir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ArchiveFacts } from '../archive/archive-facts';
import { entering } from '../archive/effects';
import { deletedKey, deletionOf } from '../archive/deletion/stored-removal';
import type { IndexedFile, StoredIndex } from '../archive/index/stored-index';
import { CodedError } from '../errors/coded-error';
import type { Deletions } from '../evidence/deletion/deletions';
import type { Tombstone } from '../evidence/deletion/tombstones';
import { storedDetails } from '../recording/find-recordings';
import { identityOfId } from '../recording/recording-reference';
import { asFormat } from '../recording/recording-reference';
import type { RecordingOrigins } from '../recording/origin';
import { errnoOf } from '../store/folder/file-system';
import { isSetAside } from '../store/folder/quarantine';
import { readLock, readRetention } from '../store/kept-facts';
import { readSidecar, sidecarPath } from '../store/sidecar';
import { storeFault } from '../store/store-fault';
import type { StoredRecording } from '../store/stored-recording';
import { type Fields, asSha256, asText, keyDigest } from '../values/fields';
import { readTime } from '../values/time';
import type { DamagedFile } from './verify-stored';

export interface RebuildCounts {
  sidecars: number;
  /** Entered into the index in this run. */
  indexed: number;
  /** Those that were in the index already. */
  known: number;
  /** Their file is gone; not entered. */
  missing: number;
  /** Their file has another size; entered anyway. */
  changed: number;
  /** Were deleted before, had come back, and are deleted again. */
  deleted: number;
  /** Were deleted before and have come back, but are held, or could not be deleted. Not entered. */
  refused: number;
  /** Not added: they do not identify their recording, or are unreadable. */
  unusable: number;
}

export interface RebuildParts {
  /** Absolute; the folder as the download node has it. */
  folder: string;
  /** Of that folder. */
  index: StoredIndex;
  /** The known providers. */
  origins: RecordingOrigins;
  commit: ArchiveFacts['commit'];
  deletions: Pick<Deletions, 'delete' | 'tombstones'>;
  /** Why something that had come back could not be deleted again. */
  onKept: (error: CodedError) => void;
  /** Sends a file that differs from its sidecar to the flow; resolves when the next one may follow. */
  emit: (file: DamagedFile) => Promise<void>;
  /** Called after every few sidecars. */
  onSidecar: (counts: RebuildCounts) => void;
  signal: AbortSignal;
}

/** Entries that are written with one sync. */
const STEP = 500;
/** Concurrent reads of sidecars. */
const AT_ONCE = 16;

/**
 * Enters what the sidecars of a folder say into the index, after a move or when the state is lost. What was deleted and is
 * back, as from a backup, here or in another folder, is deleted again unless it is held. It compares sizes; comparing hashes is
 * left to the check of the archive.
 *
 * @param counts updated in place
 * @throws CodedError `STORE_FAILED` when the folder cannot be read or has no sidecar; `signal.reason` when aborted; as
 *   `emit` does
 */
export async function rebuildIndex(parts: RebuildParts, counts: RebuildCounts): Promise<void> {
  const { index, origins, commit, emit, onSidecar, signal } = parts;
  let entries: IndexedFile[] = [];
  const write = async (): Promise<void> => {
    await commit(entering(index, entries));
    entries = [];
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
      const came = await deletedAgain(parts, found);
      if (came !== 'new') {
        counts[came] += 1;
        continue;
      }
      if (damage !== null) counts[damage] += 1;
      if (damage !== 'missing' && (await isKnown(index, entry))) counts.known += 1;
      else if (damage !== 'missing') {
        entries.push(entry);
        counts.indexed += 1;
      }
      if (damage !== null) {
        // A caller that fetches it again finds in the index which file is damaged.
        await write();
        await emit({ ...entry, damage });
      }
    }
    if (entries.length >= STEP) await write();
    onSidecar(counts);
  }
  await write();
  if (counts.sidecars === 0) throw nothingThere(parts.folder);
}

/** @returns `new`: it was not deleted before, or is a copy that was stored later */
async function deletedAgain(
  { index: { place }, deletions, onKept }: Pick<RebuildParts, 'index' | 'deletions' | 'onKept'>,
  { entry, isMoved }: FoundEntry
): Promise<'new' | 'deleted' | 'refused'> {
  const here = deletions.tombstones.get(deletedKey(entry, place));
  const isHere = here !== undefined && entry.recording.stored_at <= here.stored_at;
  const tombstone = isHere ? here : isMoved ? deletedElsewhere(deletions, entry) : undefined;
  if (tombstone === undefined) return 'new';
  const { reason, policy } = tombstone;
  const request = deletionOf(entry, place, { reason: isHere ? 'erased' : reason, actor: 'rebuild' });
  try {
    // Where it was its time was over before; only a hold keeps it, and is followed by its deletion.
    const again = isHere ? { ...request, retainUntil: null } : request;
    const outcome = await deletions.delete({ ...again, policy });
    if (outcome.deleted) return 'deleted';
    if (outcome.refusal.kind === 'locked') onKept(outcome.refusal.error);
    return 'refused';
  } catch (error) {
    onKept(error instanceof CodedError ? error : storeFault('delete a recording again', error));
    return 'refused';
  }
}

/**
 * A backup that was restored in another folder. What was erased goes there, too. What expired elsewhere goes when the dates of
 * this copy say the same: the folder may be another place that keeps recordings longer.
 */
function deletedElsewhere(
  { tombstones }: Pick<Deletions, 'tombstones'>,
  { identity, recording }: IndexedFile
): Tombstone | undefined {
  const { stored_at, size: bytes, retention } = recording;
  const dueAt = Date.parse(retention?.delete_after ?? '');
  return tombstones
    .ofCopy(keyDigest(identity), { stored_at, bytes })
    .find(({ reason, deleted_at }) => reason === 'erased' || dueAt <= Date.parse(deleted_at));
}

function nothingThere(folder: string): CodedError {
  return new CodedError(
    'STORE_FAILED',
    `There is no JSON file of a stored recording in ${folder}, so nothing was entered into the index. Check that it is the ` +
      'folder of the download node, that its disk is mounted, and that the download node writes JSON files.'
  );
}

/** Disks and network shares answer several requests in the time of one. */
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
  /** Whether it was stored somewhere else. */
  isMoved: boolean;
}

async function entryOf(
  sidecar: string,
  origins: RecordingOrigins
): Promise<FoundEntry | 'other' | 'unusable'> {
  const file = sidecar.slice(0, -'.json'.length);
  const read = await readSidecar(file);
  // A stored JSON text, which has a sidecar of its own, may be larger than any sidecar.
  if (!read.ok) return (await readSidecar(sidecar)).ok ? 'other' : 'unusable';
  const found = sidecarEntry(read.record, file, origins);
  if (found.kind !== 'entry') return found.kind === 'other' ? 'other' : 'unusable';
  const { entry } = found;
  const isMoved = read.record['path'] !== file;
  try {
    const { size } = await lstat(file);
    return { entry, damage: size === entry.recording.size ? null : 'changed', isMoved };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { entry, damage: 'missing', isMoved };
    throw storeFault(`look at ${file}`, error);
  }
}

async function isKnown(
  index: StoredIndex,
  { identity, wantedFormat, recording }: IndexedFile
): Promise<boolean> {
  const known = (await index.find(identity)).find((file) => file.wantedFormat === wantedFormat);
  return known?.recording.path === recording.path && known?.recording.sha256 === recording.sha256;
}

/** Skips hidden folders and what was set aside; does not follow symbolic links. */
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
  return { sidecars: 0, indexed: 0, known: 0, missing: 0, changed: 0, deleted: 0, refused: 0, unusable: 0 };
}

/** Stands for the job in entries that no job made. */
const REBUILT = 'rebuilt from sidecars';

type SidecarEntry =
  | { kind: 'entry'; entry: IndexedFile }
  /** A JSON file that is not ours. */
  | { kind: 'other' }
  /** It does not say which recording it describes. */
  | { kind: 'nameless' };

/**
 * Reads the details of a file from its sidecar. The folder may have been moved: the file is beside the sidecar,
 * wherever it was stored.
 *
 * @param record the parsed sidecar; untrusted
 * @param file absolute path of the file beside it
 * @param origins the known providers
 */
export function sidecarEntry(record: Fields, file: string, origins: RecordingOrigins): SidecarEntry {
  const origin = origins.find(record['provider']);
  const sha256 = asSha256(record['sha256']);
  const size = record['size'];
  const stored_at = asText(record['stored_at']);
  const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0;
  if (origin === undefined || sha256 === null || stored_at === null || !isSize) return { kind: 'other' };

  const provider = origin.name;
  const details = storedDetails(record, provider);
  // As it was stored: reading it as new text would change it again.
  const told = record['identity'];
  const { recording_id, track } = details;
  const identity =
    typeof told === 'string' && told.startsWith(`${provider}:`)
      ? told
      : recording_id === null
        ? null
        : identityOfId(provider, recording_id, track);
  if (identity === null) return { kind: 'nameless' };

  const text = asText(record['transcription_file']);
  const transcribed_at = readTime(record['transcribed_at']);
  const retention = readRetention(record['retention']);
  const lock = readLock(record['lock']);
  const recording: StoredRecording = {
    ...details,
    size,
    sha256,
    content_type: asText(record['content_type']) ?? 'application/octet-stream',
    destination: 'folder',
    path: file,
    sidecar: sidecarPath(file),
    source_host: asText(record['source_host']) ?? '',
    attempts: typeof record['attempts'] === 'number' ? record['attempts'] : 1,
    resumed: record['resumed'] === true,
    already_stored: false,
    stored_at,
    deleted_at_source: asText(record['deleted_at_source']),
    identity,
    ...(text !== null && { transcription_file: join(dirname(file), basename(text.replace(/\\/g, '/'))) }),
    ...(transcribed_at !== null && { transcribed_at }),
    ...(retention !== null && { retention }),
    ...(lock !== null && { lock }),
    ...(record['sample'] === true && { sample: true })
  };
  // A part of a key, from a file that anyone may have put there.
  const wantedFormat = origin.hasFormatsInLinks ? asFormat(details.format) : null;
  return { kind: 'entry', entry: { identity, wantedFormat, recording, order: REBUILT } };
}
