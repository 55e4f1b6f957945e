import { join } from 'node:path';
import { PARTIAL_DIRECTORY, type PartName, partPaths, readPartName } from '../archive-path';
import { type FileSystem, diskTime, errnoOf, removeIfThere, unchangedFor } from '../file-system';
import { PROBE } from '../probe-file';
import type { PartOwner } from './part-owner';

/**
 * The name of the file that shows the disk's time; a killed process may leave it. Ids of jobs are longer.
 */
const TIME = 'time';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A file of any owner that is untouched for this long is useless. */
const FORGOTTEN_MS = 30 * DAY_MS;
/**
 * For files of an ended process, whose instance may return and resume, and of versions without owners in
 * their names: no transfer pauses this long.
 */
const LEFT_MS = DAY_MS;

export interface Sweep {
  fs: FileSystem;
  folder: string;
  owner: PartOwner;
  /** Whether a job of this instance still exists. */
  isWanted: (jobId: string) => boolean;
}

/**
 * Deletes unneeded partial copies: of this instance, those of jobs that no longer exist; of others, those of
 * ended processes after a day without a change, and any after 30 days without one, unless their process is
 * certainly alive. The times are those of the disk's own clock.
 *
 * @returns how many files were deleted
 * @throws the system's error
 */
export async function sweepParts({ fs, folder, owner, isWanted }: Sweep): Promise<number> {
  const directory = join(folder, PARTIAL_DIRECTORY);
  let now: number | undefined;
  let deleted = 0;
  for (const name of await names(fs, directory)) {
    const part = readPartName(name);
    if (part === null) continue;
    const path = join(directory, name);
    const isOwn = part.instance === owner.instance;
    const isOfNoJob = part.jobId === TIME || part.jobId === PROBE;
    const isUnwanted = isOfNoJob ? isLeft(part, owner) : isOwn && !isWanted(part.jobId);
    if (!isUnwanted && isOwn && part.process === owner.process) continue;
    if (!isUnwanted) {
      const lifetime = lifetimeOf(part, owner);
      if (lifetime === Infinity) continue;
      // The disk is asked only when this machine's own clock, which may be wrong, finds the file old.
      if ((await ageOf(fs, path, Date.now())) < lifetime) continue;
      now ??= await diskTime(fs, partPaths(directory, TIME, owner).claim);
      if ((await ageOf(fs, path, now)) < lifetime) continue;
    }
    await removeIfThere(fs, path);
    deleted += 1;
  }
  return deleted;
}

function isLeft({ instance, process }: PartName, owner: PartOwner): boolean {
  if (process === null || process === owner.process) return false;
  return instance === owner.instance || owner.fateOf(process) === 'ended';
}

function lifetimeOf({ instance, process }: PartName, owner: PartOwner): number {
  if (instance === null) return LEFT_MS;
  const fate = process === null ? 'unknown' : owner.fateOf(process);
  if (fate === 'alive') return Infinity;
  return fate === 'ended' && instance !== owner.instance ? LEFT_MS : FORGOTTEN_MS;
}

/** Milliseconds since the last change; negative if unknown. */
async function ageOf(fs: FileSystem, path: string, now: number): Promise<number> {
  try {
    return await unchangedFor(fs, path, now);
  } catch {
    return -1;
  }
}

async function names(fs: FileSystem, directory: string): Promise<string[]> {
  try {
    return await fs.readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
