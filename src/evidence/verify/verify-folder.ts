import { lstat, opendir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CUSTODY_COPIES, PARTIAL_DIRECTORY } from '../../store/folder/archive-path';
import { errnoOf, fileBytes, realFileSystem } from '../../store/folder/file-system';
import { isSetAside } from '../../store/folder/quarantine';
import { hashStream } from '../../store/hash-stream';
import { sidecarPath } from '../../store/sidecar';
import { type Fields, asFields, asSha256, asText, textField } from '../../values/fields';
import { recordingName } from '../custody/custody-line';
import type { KnownFiles } from './known-files';
import type { Finding } from './verify-log';

export interface FolderReport {
  files: number;
  /** As their sidecar says, and the log if there is one. */
  intact: number;
  /** In the folder before the log began: only the sidecar vouches for them. */
  older: number;
  /** Texts, and files that were set aside: not checked. */
  others: number;
  /** Could not be read. */
  unreadable: number;
  /** In the log, but not in the folder. */
  missing: number;
}

export interface VerifyFolderParts {
  folder: string;
  /** Null: there is no log to compare with. */
  known: KnownFiles | null;
  onFinding: (finding: Finding) => void;
  /** Called after each file. */
  onFile: (report: FolderReport) => void;
  signal?: AbortSignal;
}

/** Folders that hold no recordings. */
const OURS: ReadonlySet<string> = new Set([PARTIAL_DIRECTORY, CUSTODY_COPIES]);

/** Bytes; ours have a few thousand. */
const LARGEST_SIDECAR = 16 * 1024 * 1024;

/**
 * Reads every file of an archive and compares it with its sidecar and with the log. Changes nothing. Uses little memory but for
 * what `known` holds.
 *
 * @throws the system's error when the folder itself cannot be read; `signal.reason`
 */
export async function verifyFolder(parts: VerifyFolderParts): Promise<FolderReport> {
  const { folder, known, onFinding, onFile, signal } = parts;
  const report: FolderReport = { files: 0, intact: 0, older: 0, others: 0, unreadable: 0, missing: 0 };
  await lstat(folder);
  for await (const file of filesBelow(folder, onFinding)) {
    signal?.throwIfAborted();
    const where = path.relative(folder, file);
    const tell = (text: string): void => onFinding({ where, text });
    try {
      await checkFile(file, { known, report, tell, ...(signal !== undefined && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      // It was removed or replaced while the folder was read.
      report.unreadable += 1;
      tell(`it could not be read (${errnoOf(error)}).`);
    }
    onFile(report);
  }
  for (const { recording, sha256 } of known?.unseen() ?? []) {
    report.missing += 1;
    onFinding({
      where: recording,
      text: `the log says that it was stored and not deleted, but no file with the SHA-256 ${sha256} is there.`
    });
  }
  onFile(report);
  return report;
}

interface CheckParts {
  known: KnownFiles | null;
  report: FolderReport;
  tell: (text: string) => void;
  signal?: AbortSignal;
}

async function checkFile(file: string, { known, report, tell, signal }: CheckParts): Promise<void> {
  const name = path.basename(file);
  const isText = name.endsWith('.json') || name.endsWith('.txt');
  // What a provider gives as text has a sidecar of its own; our texts and sidecars have none.
  if (isSetAside(name) || (isText && (await sidecarOf(file)) === null)) {
    await checkOther(file, report, tell);
    return;
  }
  report.files += 1;
  const { sha256 } = await hashStream(fileBytes(realFileSystem, file), signal);
  const sidecar = await sidecarOf(file);
  if (sidecar === null) {
    tell('it has no readable sidecar, so nothing says what it should be.');
    return;
  }
  const entry = nameOf(sidecar);
  const found = entry === null ? null : (known?.find(entry, sha256) ?? null);
  if (found !== null) found.isSeen = true;
  if (asSha256(sidecar['sha256']) !== sha256)
    tell('it was changed: its SHA-256 is not the one in its sidecar.');
  else if (known === null) report.intact += 1;
  else if (found?.isDeleted === true) tell('the log says that it was deleted, but it is here.');
  else if (found !== null) report.intact += 1;
  else judgeUnknown(sidecar, entry, { known, report, tell });
}

/** A file that fits its sidecar, but that the log does not know. */
function judgeUnknown(
  sidecar: Fields,
  entry: string | null,
  { known, report, tell }: { known: KnownFiles; report: FolderReport; tell: (text: string) => void }
): void {
  if (entry !== null && known.knowsRecording(entry)) {
    tell('the log has another SHA-256 for this recording: file and sidecar were replaced.');
    return;
  }
  const storedAt = textField(sidecar, 'stored_at');
  if (storedAt !== null && (known.begin === null || storedAt < known.begin)) report.older += 1;
  else tell('the log does not know it.');
}

/** A text, a sidecar, or what was set aside. */
async function checkOther(file: string, report: FolderReport, tell: (text: string) => void): Promise<void> {
  if (!file.endsWith('.json') || isSetAside(path.basename(file))) {
    report.others += 1;
    return;
  }
  const of = file.slice(0, -'.json'.length);
  const isThere = await lstat(of).then(
    () => true,
    () => false
  );
  // Not every JSON file is a sidecar.
  if (!isThere && (await sidecarOf(of)) !== null) tell('the file that it describes is not there.');
  else if (!isThere) report.others += 1;
}

async function sidecarOf(file: string): Promise<Fields | null> {
  const name = sidecarPath(file);
  try {
    const found = await lstat(name);
    if (!found.isFile() || found.size > LARGEST_SIDECAR) return null;
    const fields = asFields(JSON.parse(await readFile(name, 'utf8')));
    return fields !== null && asSha256(fields['sha256']) !== null ? fields : null;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

function nameOf(sidecar: Fields): string | null {
  const identity = asText(sidecar['identity']);
  const id = textField(sidecar, 'recording_id');
  return identity === null && id === null ? null : recordingName(id, identity ?? '');
}

/** Regular files, without following links. Folders that cannot be read are told of. */
async function* filesBelow(
  folder: string,
  onFinding: VerifyFolderParts['onFinding']
): AsyncGenerator<string> {
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      for await (const entry of await opendir(next, { bufferSize: 256 })) {
        const name = path.join(next, entry.name);
        if (entry.isDirectory()) {
          if (!OURS.has(entry.name)) waiting.push(name);
        } else if (entry.isFile() && !entry.name.startsWith('.')) yield name;
      }
    } catch (error) {
      if (next === folder) throw error;
      onFinding({
        where: path.relative(folder, next),
        text: `the folder could not be read (${errnoOf(error)}).`
      });
    }
  }
}
