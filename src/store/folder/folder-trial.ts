import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../errors/coded-error';
import type { Said } from '../../errors/notice';
import { meaningOf } from '../store-fault';
import { nearestDirectory } from './check-folder';
import { errnoOf } from './file-system';

/** One line of what a trial of a folder found. */
export interface FolderFinding {
  check: 'folder' | 'write' | 'link' | 'space';
  result: 'ok' | 'warning' | 'failed';
  said: readonly Said[];
}

/** Less is soon full: about 18 hours of MP3. */
const SCARCE_BYTES = 1024 ** 3;

/**
 * Tries what storing in a folder needs: a file, a hard link to it, and space. Uses the nearest existing folder when it
 * does not exist yet, and leaves nothing behind. Never throws.
 *
 * @param folder absolute path
 */
export async function tryFolder(folder: string): Promise<FolderFinding[]> {
  const findings: FolderFinding[] = [];
  let place: string;
  try {
    place = await nearestDirectory(fs, folder);
  } catch (error) {
    return [failed('folder', `${folder} cannot be used: ${reason(error)}.`)];
  }
  const isThere = place === path.resolve(folder);
  findings.push({
    check: 'folder',
    result: 'ok',
    said: [{ notice: isThere ? 'folder' : 'folder-new', values: { folder } }]
  });
  const file = path.join(place, `.telnyx-test-${randomUUID()}`);
  try {
    await fs.writeFile(file, 'A test of the recording download node. It can be deleted.\n', {
      flag: 'wx',
      mode: 0o600,
      flush: true
    });
    findings.push({ check: 'write', result: 'ok', said: [{ notice: 'files-written' }] });
    findings.push(await tryLink(file));
    findings.push(await freeSpace(place));
  } catch (error) {
    findings.push(failed('write', `No file can be written in ${place}: ${reason(error)}.`));
  } finally {
    await fs.rm(file, { force: true }).catch(() => undefined);
  }
  return findings;
}

/** Names appear by a hard link where possible. */
async function tryLink(file: string): Promise<FolderFinding> {
  const link = `${file}-link`;
  try {
    await fs.link(file, link);
    return { check: 'link', result: 'ok', said: [{ notice: 'links-work' }] };
  } catch {
    return { check: 'link', result: 'warning', said: [{ notice: 'no-links' }] };
  } finally {
    await fs.rm(link, { force: true }).catch(() => undefined);
  }
}

async function freeSpace(place: string): Promise<FolderFinding> {
  const check = 'space';
  try {
    const { bavail, bsize } = await fs.statfs(place);
    const free = bavail * bsize;
    const values = { space: inUnits(free) };
    return free < SCARCE_BYTES
      ? { check, result: 'warning', said: [{ notice: 'space-scarce', values }] }
      : { check, result: 'ok', said: [{ notice: 'space-free', values }] };
  } catch {
    return { check, result: 'warning', said: [{ notice: 'space-unknown' }] };
  }
}

function failed(check: FolderFinding['check'], text: string): FolderFinding {
  return { check, result: 'failed', said: [{ code: 'STORE_FAILED', text }] };
}

function inUnits(bytes: number): string {
  const gib = bytes / 1024 ** 3;
  return gib >= 1 ? `${gib.toFixed(gib >= 10 ? 0 : 1)} GiB` : `${Math.floor(bytes / 1024 ** 2)} MiB`;
}

function reason(error: unknown): string {
  if (error instanceof CodedError) return error.message;
  return errnoOf(error) === 'ENOENT' ? 'folders cannot be created there' : meaningOf(error);
}
