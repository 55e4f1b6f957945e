import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { type CustodyEntry, NO_HASH } from './custody-line';
import { type CustodyFileState, custodyFileNumber, custodyFiles, readCustodyFile } from './custody-reader';

/** The file that is being written, and what is durable of it. */
export interface CurrentFile {
  name: string;
  number: number;
  /** The day of its first line, `2026-11-30`. */
  day: string;
  bytes: number;
  hash: Hash;
  handle: FileHandle | null;
}

/** Durable, in memory: everything up to `seq`. */
export interface End {
  seq: number;
  head: string;
  /** Milliseconds since 1970; NaN before the first line. */
  at: number;
}

/** What the last file says, and what is wrong with it. */
export interface Found {
  current: CurrentFile | null;
  end: End;
  before: { name: string; sha256: string } | null;
  damages: { text: string; entry: CustodyEntry }[];
}

/**
 * Finds where a log ends, and removes what a crash left unfinished there.
 *
 * @throws the system's error
 */
export async function findEnd(directory: string): Promise<Found> {
  const damages: Found['damages'] = [];
  const names = await custodyFiles(directory);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const file = await readCustodyFile(name, { directory, after: null });
    if (file.torn > 0) {
      await cut(path.join(directory, name), file.bytes);
      damages.push(tornText(directory, file));
    }
    // A crash came before its first line: nobody was told of anything in it.
    if (file.lines === 0) {
      await rm(path.join(directory, name));
      continue;
    }
    const end: End = { ...file.end, at: Date.parse(file.last?.at ?? '') };
    const before = { name, sha256: file.sha256 };
    if (file.faults.length > 0) {
      damages.push(damageText(directory, file));
      return { current: null, end, before, damages };
    }
    const hash = createHash('sha256');
    const current: CurrentFile = {
      name,
      number: custodyFileNumber(name) ?? 0,
      day: name.slice(9, 19),
      bytes: file.bytes,
      hash,
      handle: await open(path.join(directory, name), 'r+')
    };
    await hashInto(hash, current);
    return { current, end, before: null, damages };
  }
  return { current: null, end: { seq: 0, head: NO_HASH, at: NaN }, before: null, damages };
}

async function hashInto(hash: Hash, { handle, bytes }: CurrentFile): Promise<void> {
  const piece = Buffer.alloc(256 * 1024);
  for (let at = 0; at < bytes;) {
    const read = await handle?.read(piece, 0, Math.min(piece.length, bytes - at), at);
    if (read === undefined || read.bytesRead === 0) throw new Error('the file has become shorter');
    hash.update(piece.subarray(0, read.bytesRead));
    at += read.bytesRead;
  }
}

function tornText(directory: string, { name, torn }: CustodyFileState): Found['damages'][number] {
  return {
    text:
      `The last line of the custody log ${path.join(directory, name)} was cut off by a crash, before anybody was told ` +
      `that it was written; its ${torn} bytes were removed.`,
    entry: { event: 'damage', actor: 'log', details: { kind: 'torn', file: name, bytes: torn } }
  };
}

function damageText(directory: string, { name, faults, sha256 }: CustodyFileState): Found['damages'][number] {
  const first = faults[0];
  return {
    text:
      `The custody log ${path.join(directory, name)} is not as it was written: line ${first?.line ?? 0}: ` +
      `${first?.text ?? ''}. It was left as it is, and the log goes on in a new file. Find out who changed it, and run ` +
      '"telnyx-evidence verify".',
    entry: {
      event: 'damage',
      actor: 'log',
      sha256,
      details: { kind: 'changed', file: name, line: first?.line ?? 0 }
    }
  };
}

async function cut(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
