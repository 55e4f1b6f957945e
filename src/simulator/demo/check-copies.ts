import type { Print } from '../cli/print';
import type { ExpectedFile } from '../stand-in';
import type { NodeRedChild } from './node-red-child';
import { awaitCopy, awaitText, type StoredCopy } from './stored-copy';

const STORE_MS = 45_000;

/** The folder to search for copies. */
export interface Shelf {
  folder: string;
  nodeRed: Pick<NodeRedChild, 'logTail'>;
  print: Print;
  signal: AbortSignal;
}

/**
 * Waits for the stored copies of recordings, and shows and checks them.
 *
 * @throws Error that names each one that is missing or differs
 */
export async function checkCopies(
  expected: readonly ExpectedFile[],
  { folder, nodeRed, print, signal }: Shelf
): Promise<void> {
  const problems: string[] = [];
  const hashes = expected.map(({ sha256 }) => sha256);
  for (const file of expected) {
    const others = new Set(hashes.filter((hash) => hash !== file.sha256));
    const copy = await awaitCopy(folder, { expected: file, others }, STORE_MS, signal);
    if (copy) {
      describeCopy(copy, print);
      problems.push(...copy.differences.map((difference) => `${copy.path}: ${difference}`));
    } else {
      problems.push(
        `no ${file.track ?? ''} ${file.format} of recording ${file.recordingId} was stored within ${STORE_MS / 1000} s`
      );
    }
  }
  if (problems.length === 0) return;
  const list = problems.map((problem) => `  ${problem}`).join('\n');
  throw new Error(
    `Not every recording is stored and intact:\n${list}\nNode-RED logged:\n${nodeRed.logTail()}`
  );
}

/**
 * Waits for the text of a recording, and shows where it is.
 *
 * @throws Error when it is not there, or another text is
 */
export async function checkText(
  wanted: { recordingId: string; text: string },
  { folder, nodeRed, print, signal }: Shelf
): Promise<void> {
  const file = await awaitText(folder, wanted, STORE_MS, signal);
  if (file === undefined)
    throw new Error(
      `The transcript of recording ${wanted.recordingId} was not stored within ${STORE_MS / 1000} s. Node-RED logged:\n` +
        nodeRed.logTail()
    );
  print(`- Stored ${file}`);
  print('  the transcript of the lost recording, which no event announced');
}

function describeCopy({ path: file, size, sha256, differences }: StoredCopy, print: Print): void {
  print(`- Stored ${file}`);
  print(`  ${size} bytes, SHA-256 ${sha256}`);
  print(differences.length === 0 ? '  the same bytes as sent, and as the sidecar says' : '  DIFFERS');
}
