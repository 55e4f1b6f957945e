import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePrivateDirectory } from './private-directory';
import { isDamaged } from './state-check';
import { MAX_COLLECTIONS } from './environment';
import { ENVIRONMENT, StateDatabase, type StateOptions } from './state-database';
import { isDiskFull } from './state-disk';

/** Lies beside the environment while a process has it open; one that was left behind tells of a crash. */
const IN_USE = 'in-use';

const markers = new Set<string>();

export interface OpenOptions extends StateOptions {
  /** Told where a damaged environment is now. */
  onDamaged: (asideAt: string) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Opens the state for as long as the process runs. After a crash or a power cut it is looked through first:
 * a damaged file would end the process at every start, editor and all. It is set aside, never deleted, and
 * an empty state takes its place.
 *
 * @param directory as for `StateDatabase`
 * @throws as `StateDatabase`; also when the state looks damaged while no space is left, which may be the reason
 */
export function openState(directory: string, options: OpenOptions): StateDatabase {
  const { onDamaged, now = Date.now, onMoved } = options;
  const marker = path.join(directory, IN_USE);
  const environment = path.join(directory, ENVIRONMENT);
  if (existsSync(marker) && existsSync(environment) && isDamaged(environment, MAX_COLLECTIONS)) {
    if (isDiskFull(directory))
      throw new Error(`No space is left in ${directory}, and its state cannot be read.`);
    const asideAt = `${environment}-damaged-${new Date(now()).toISOString().replace(/\D/g, '').slice(0, 14)}`;
    renameSync(environment, asideAt);
    onDamaged(asideAt);
  }
  // Before the environment is opened: if that ends the process, the next start knows why.
  mark(marker);
  return new StateDatabase(directory, {
    ...options,
    onMoved: (what) => {
      mark(marker);
      onMoved?.(what);
    }
  });
}

function mark(marker: string): void {
  try {
    makePrivateDirectory(path.dirname(marker));
    writeFileSync(marker, `${process.pid}\n`);
  } catch {
    // What cannot be written now is the database's to report.
    return;
  }
  if (markers.size === 0) process.once('exit', removeMarkers);
  markers.add(marker);
}

function removeMarkers(): void {
  for (const marker of markers) rmSync(marker, { force: true });
}
