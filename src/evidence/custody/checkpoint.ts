import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, realFileSystem } from '../../store/folder/file-system';
import { replaceFile } from '../../store/folder/whole-file';
import { asCount, asFields, asSha256, asText } from '../../values/fields';
import { NO_HASH, sha256Hex } from './custody-line';
import { type CustodyFileState, custodyFiles, readCustodyFile } from './custody-reader';
import type { SigningKey } from './signing-key';

/** What was signed about a file of the log that is complete. */
export interface Checkpoint {
  v: 1;
  /** The id of the installation. */
  log: string;
  file: string;
  first_seq: number;
  last_seq: number;
  lines: number;
  bytes: number;
  /** SHA-256 of the last line, hex. */
  head: string;
  /** SHA-256 of the file, hex. */
  sha256: string;
  /** Lines that did not continue the chain when this was signed. */
  faults: number;
  /** ISO 8601 UTC, by the clock of the machine. */
  at: string;
  /** SHA-256 of the public key (SPKI, DER), hex. */
  key: string;
  /** SHA-256 of the file of the checkpoint before, hex. */
  previous: string;
}

/** A checkpoint as it is on disk. */
export interface SignedCheckpoint {
  /** Its file. */
  name: string;
  bytes: Buffer;
  sha256: string;
  /** Null when it is unreadable. */
  checkpoint: Checkpoint | null;
  /** 64 bytes; null when there is none. */
  signature: Buffer | null;
  /** The reply of a time-stamping authority (DER); null when there is none. */
  stamp: Buffer | null;
}

/** The file of the checkpoint of a file of the log. */
export function checkpointFile(file: string): string {
  return `${file.slice(0, -'.jsonl'.length)}.checkpoint.json`;
}

/** Beside the checkpoint: its raw signature. */
export function signatureFile(checkpoint: string): string {
  return `${checkpoint}.sig`;
}

/** Beside the checkpoint: its time stamp. */
export function stampFile(checkpoint: string): string {
  return `${checkpoint}.tsr`;
}

const LARGEST_FILE = 1024 * 1024;

/**
 * Reads the checkpoint of a file of the log, with signature and time stamp.
 *
 * @returns null when there is none
 * @throws the system's error
 */
export async function readCheckpoint(directory: string, file: string): Promise<SignedCheckpoint | null> {
  const name = checkpointFile(file);
  const [bytes, signature, stamp] = await Promise.all([
    contentOf(path.join(directory, name)),
    contentOf(path.join(directory, signatureFile(name))),
    contentOf(path.join(directory, stampFile(name)))
  ]);
  if (bytes === null) return null;
  return { name, bytes, sha256: sha256Hex(bytes), checkpoint: parseCheckpoint(bytes), signature, stamp };
}

async function contentOf(file: string): Promise<Buffer | null> {
  try {
    const content = await readFile(file);
    return content.length > LARGEST_FILE ? Buffer.alloc(0) : content;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function parseCheckpoint(bytes: Buffer): Checkpoint | null {
  let fields;
  try {
    fields = asFields(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
  if (fields === null || fields['v'] !== 1) return null;
  const counts = ['first_seq', 'last_seq', 'lines', 'bytes', 'faults'] as const;
  const hashes = ['head', 'sha256', 'key', 'previous'] as const;
  const texts = ['log', 'file', 'at'] as const;
  const isWhole =
    counts.every((name) => asCount(fields[name]) !== null) &&
    hashes.every((name) => asSha256(fields[name]) !== null) &&
    texts.every((name) => asText(fields[name]) !== null);
  return isWhole ? (fields as unknown as Checkpoint) : null;
}

export interface CheckpointsOptions {
  /** Of the custody log. */
  directory: string;
  /** The id of the installation. */
  instance: string;
  key: Pick<SigningKey, 'id' | 'sign'>;
  /** Milliseconds since 1970. */
  now: () => number;
}

/**
 * Signs all files of the log that are complete and have no checkpoint yet, in their order.
 *
 * @param current the file that is still being written
 * @returns what was signed
 * @throws the system's error; what was signed before stays
 */
export async function signClosedFiles(
  { directory, instance, key, now }: CheckpointsOptions,
  current: string | null
): Promise<SignedCheckpoint[]> {
  const signed: SignedCheckpoint[] = [];
  const closed = (await custodyFiles(directory)).filter((name) => current === null || name < current);
  // A checkpoint that somebody removed is not made again: only what follows the last one is new.
  const { last, unsigned } = await lastSigned(directory, closed);
  let previous = last;
  for (const name of unsigned) {
    const state = await readCustodyFile(name, { directory, after: null });
    const bytes = Buffer.from(
      `${JSON.stringify(checkpointOf(state, { instance, previous, key: key.id, at: now() }))}\n`
    );
    const file = checkpointFile(name);
    const signature = key.sign(bytes);
    // The checkpoint last: when it is there, its signature is.
    await replaceFile(realFileSystem, path.join(directory, signatureFile(file)), signature);
    await replaceFile(realFileSystem, path.join(directory, file), bytes);
    previous = sha256Hex(bytes);
    signed.push({
      name: file,
      bytes,
      sha256: previous,
      checkpoint: parseCheckpoint(bytes),
      signature,
      stamp: null
    });
  }
  return signed;
}

async function lastSigned(
  directory: string,
  closed: readonly string[]
): Promise<{ last: string; unsigned: readonly string[] }> {
  for (let at = closed.length - 1; at >= 0; at -= 1) {
    const found = await contentOf(path.join(directory, checkpointFile(closed[at] ?? '')));
    if (found !== null) return { last: sha256Hex(found), unsigned: closed.slice(at + 1) };
  }
  return { last: NO_HASH, unsigned: closed };
}

function checkpointOf(
  state: CustodyFileState,
  { instance, previous, key, at }: { instance: string; previous: string; key: string; at: number }
): Checkpoint {
  return {
    v: 1,
    log: instance,
    file: state.name,
    first_seq: state.first?.seq ?? 0,
    last_seq: state.last?.seq ?? 0,
    lines: state.lines,
    bytes: state.bytes,
    head: state.end.head,
    sha256: state.sha256,
    faults: state.faults.length,
    at: new Date(at).toISOString(),
    key,
    previous
  };
}
