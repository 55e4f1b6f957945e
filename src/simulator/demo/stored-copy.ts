import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExpectedFile } from '../stand-in';

/** A stored file, with its size and hash as read back from the disk. */
export interface StoredCopy {
  path: string;
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256: string;
  /** What is wrong with it; empty for an intact copy. */
  differences: string[];
}

const POLL_MS = 100;

/**
 * Waits for the stored copy of a file, and checks it: the bytes on disk against the bytes that
 * the stand-in has, and both against the sidecar.
 *
 * @param folder where the download node stores
 * @param expected one of the files of its recording
 * @param others the hashes of the other files, which are no damaged copies of this one
 * @returns undefined when no copy with a sidecar appeared within the deadline
 */
export async function awaitCopy(
  folder: string,
  { expected, others }: { expected: ExpectedFile; others: ReadonlySet<string> },
  deadlineMs: number,
  signal: AbortSignal
): Promise<StoredCopy | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const copy = await findCopy(folder, expected, others);
    if (copy || performance.now() > end) return copy;
    await wait(POLL_MS, undefined, { signal });
  }
}

/**
 * Waits until a text is filed beside the stored copy of its recording, and named in its sidecar.
 *
 * @returns the path of its file; undefined when there is none within the deadline
 */
export async function awaitText(
  folder: string,
  { recordingId, text }: { recordingId: string; text: string },
  deadlineMs: number,
  signal: AbortSignal
): Promise<string | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const file = await findText(folder, recordingId, text);
    if (file !== undefined || performance.now() > end) return file;
    await wait(POLL_MS, undefined, { signal });
  }
}

async function findText(folder: string, recordingId: string, text: string): Promise<string | undefined> {
  for (const path of await filesBelow(folder)) {
    if (!path.endsWith('.json')) continue;
    const sidecar = await readSidecar(path);
    const file = sidecar?.['transcription_file'];
    if (sidecar?.['recording_id'] !== recordingId || typeof file !== 'string') continue;
    if ((await readFile(file, 'utf8').catch(() => null)) === text) return file;
  }
  return undefined;
}

async function findCopy(
  folder: string,
  expected: ExpectedFile,
  others: ReadonlySet<string>
): Promise<StoredCopy | undefined> {
  let damaged: StoredCopy | undefined;
  for (const path of await filesBelow(folder)) {
    if (!path.endsWith(`.${expected.format}.json`)) continue;
    const sidecar = await readSidecar(path);
    if (sidecar?.['recording_id'] !== expected.recordingId) continue;
    const copy = await checkCopy(path.slice(0, -'.json'.length), sidecar, expected);
    if (copy?.sha256 === expected.sha256) return copy;
    if (copy !== undefined && !others.has(copy.sha256)) damaged ??= copy;
  }
  return damaged;
}

async function checkCopy(
  file: string,
  sidecar: Record<string, unknown>,
  expected: ExpectedFile
): Promise<StoredCopy | undefined> {
  const measured = await measure(file);
  if (!measured) return undefined;
  const { size, sha256 } = measured;
  const differences = [
    size === expected.size ? null : `${size} bytes are stored, the recording has ${expected.size}`,
    sha256 === expected.sha256 ? null : `its SHA-256 is not that of the recording, ${expected.sha256}`,
    size === sidecar['size'] ? null : `the sidecar says ${String(sidecar['size'])} bytes`,
    sha256 === sidecar['sha256'] ? null : `the sidecar says SHA-256 ${String(sidecar['sha256'])}`
  ].filter((difference) => difference !== null);
  return { path: file, size, sha256, differences };
}

async function measure(file: string): Promise<{ size: number; sha256: string } | undefined> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    await pipeline(createReadStream(file), async function (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        size += piece.length;
        hash.update(piece);
      }
    });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return { size, sha256: hash.digest('hex') };
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** @returns undefined while the file is being written, and for JSON that is not a sidecar */
async function readSidecar(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof content === 'object' && content !== null ? { ...content } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
