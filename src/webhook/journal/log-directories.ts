import { readdirSync } from 'node:fs';
import path from 'node:path';

const NAME = 'keep-';

/** The directory of the log whose deliveries are kept for some days. */
export function directoryOf(directory: string, days: number): string {
  return path.join(directory, `${NAME}${days}`);
}

/**
 * The numbers of days for which a log exists.
 *
 * @param directory of the logs
 * @throws an error of the file system
 */
export function daysIn(directory: string): number[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .map((name) => ({ name, days: Number(name.slice(NAME.length)) }))
    .filter(({ name, days }) => Number.isSafeInteger(days) && days >= 0 && name === `${NAME}${days}`)
    .map(({ days }) => days);
}
