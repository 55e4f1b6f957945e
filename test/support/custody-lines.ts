import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { CustodyLine } from '../../src/evidence/custody/custody-line';

/** All lines of the custody log in a user directory of Node-RED; none where there is no log. */
export function linesOfCustody(userDir: string): CustodyLine[] {
  return custodyLinesIn(path.join(userDir, 'telnyx', 'custody'));
}

/** As `linesOfCustody`, for the directory of a log. What is being written at this moment is left out. */
export function custodyLinesIn(directory: string): CustodyLine[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(path.join(directory, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as CustodyLine);
}
