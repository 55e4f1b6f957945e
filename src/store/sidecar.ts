import { CodedError } from '../errors/coded-error';
import { errnoOf, realFileSystem, type FileSystem } from './folder/file-system';
import { storeFault } from './store-fault';
import { removeSecondName } from './folder/temporary-file';
import { replaceFile, writeNewFile } from './message/whole-file';
import { withoutSecrets } from './without-secrets';

/** Larger files beside a recording are none of ours. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** What is known of a stored file: `msg.recording` as JSON. `sha256` says whose sidecar it is. */
export type SidecarRecord = Readonly<Record<string, unknown>> & { readonly sha256: string };

export type SidecarFound =
  { ok: true; record: Record<string, unknown> } | { ok: false; reason: 'missing' | 'unreadable' };

/** Where the sidecar of a file is. */
export function sidecarPath(file: string): string {
  return `${file}.json`;
}

/** The text of a sidecar: JSON for people, without the query of any link and without keys. */
export function sidecarText(record: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(withoutSecrets(record), null, 2)}\n`;
}

/**
 * Writes the sidecar of a stored file, or brings the one that is there up to date. Readers see the
 * old or the new one, never half of one. A file of that name that is not the sidecar of the same
 * bytes is never touched.
 *
 * @param file path of the stored file
 * @returns path of the sidecar
 * @throws CodedError `STORE_FAILED`
 */
export async function writeSidecar(
  file: string,
  record: SidecarRecord,
  fs: FileSystem = realFileSystem
): Promise<string> {
  const path = sidecarPath(file);
  const text = sidecarText(record);
  try {
    try {
      await writeNewFile(fs, path, text);
      return path;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await refuseForeign(fs, path, record.sha256);
    await replaceFile(fs, path, text);
    return path;
  } catch (error) {
    throw storeFault(`write the sidecar ${path}`, error);
  }
}

/**
 * Reads the sidecar of a stored file.
 *
 * @throws CodedError `STORE_FAILED` when the disk fails; a missing or damaged sidecar is a result
 */
export async function readSidecar(file: string, fs: FileSystem = realFileSystem): Promise<SidecarFound> {
  const path = sidecarPath(file);
  try {
    const found = await fs.lstat(path);
    if (!found.isFile() || found.size > LARGEST_BYTES) return { ok: false, reason: 'unreadable' };
    // A second name is the temporary one, of a process that was killed before it could remove it.
    if (found.nlink > 1) await removeSecondName(fs, path, found);
    const record = parsed(await fs.readFile(path, 'utf8'));
    return record === null ? { ok: false, reason: 'unreadable' } : { ok: true, record };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { ok: false, reason: 'missing' };
    throw storeFault(`read the sidecar ${path}`, error);
  }
}

async function refuseForeign(fs: FileSystem, path: string, sha256: string): Promise<void> {
  const found = await fs.lstat(path);
  // The reservation of a write that was cut off where the file system has no hard links.
  if (found.isFile() && found.size === 0) return;
  const record =
    found.isFile() && found.size <= LARGEST_BYTES ? parsed(await fs.readFile(path, 'utf8')) : null;
  if (record?.['sha256'] !== sha256)
    throw new CodedError(
      'STORE_FAILED',
      `${path} exists and is not the sidecar of this recording; it was left alone.`
    );
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
