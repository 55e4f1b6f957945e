import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type CustodyLine, LONGEST_LINE, NO_HASH, parseLine, sha256Hex } from './custody-line';

const NAME = /^(\d{8})-\d{4}-\d{2}-\d{2}\.jsonl$/;

const LINE_FEED = 0x0a;

/** The file of a day. The number orders them, whatever the clock did. */
export function custodyFileName(number: number, at: number): string {
  return `${String(number).padStart(8, '0')}-${new Date(at).toISOString().slice(0, 10)}.jsonl`;
}

/** The number of a file of the log, or null for another name. */
export function custodyFileNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The names of the files of a log, in their order. @throws the system's error, except where there is no directory */
export async function custodyFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => NAME.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Where the chain is. */
export interface ChainEnd {
  seq: number;
  /** SHA-256 of the last line, hex. */
  head: string;
}

/** What is wrong with a line. `line` counts from 1 within its file. */
export interface ChainFault {
  line: number;
  kind: 'unreadable' | 'changed' | 'missing' | 'order';
  /** For people. */
  text: string;
}

/** A file of the log, as it is. */
export interface CustodyFileState {
  name: string;
  lines: number;
  /** Without what follows the last line feed. */
  bytes: number;
  /** Of these bytes, hex. */
  sha256: string;
  first: CustodyLine | null;
  last: CustodyLine | null;
  end: ChainEnd;
  /** Bytes after the last line feed: a line that was cut off. */
  torn: number;
  faults: readonly ChainFault[];
}

const MOST_FAULTS = 100;

interface ReadOptions {
  directory: string;
  /** The end of the file before; null: not known, so the first line is believed. */
  after: ChainEnd | null;
  onLine?: (line: CustodyLine, faults: number) => void;
  signal?: AbortSignal;
}

/**
 * Reads a file of the log line by line and follows its chain. Uses little memory, however long the file is.
 *
 * @throws the system's error; `signal.reason`
 */
export async function readCustodyFile(
  name: string,
  { directory, after, onLine, signal }: ReadOptions
): Promise<CustodyFileState> {
  const hash = createHash('sha256');
  const chain = new Chain(after);
  let rest: Buffer = Buffer.alloc(0);
  let bytes = 0;
  const stream = createReadStream(path.join(directory, name), { highWaterMark: 256 * 1024 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    const piece = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, from)) {
      const line = chain.add(piece.subarray(from, at + 1));
      if (line !== null) onLine?.(line, chain.faults.length);
      from = at + 1;
    }
    hash.update(piece.subarray(0, from));
    bytes += from;
    rest = piece.subarray(from);
    // Not a line of ours, and without an end that could be waited for.
    if (rest.length > LONGEST_LINE) {
      chain.add(rest);
      hash.update(rest);
      bytes += rest.length;
      rest = Buffer.alloc(0);
    }
  }
  const { lines, first, last, end, faults } = chain;
  return { name, lines, bytes, sha256: hash.digest('hex'), first, last, end, torn: rest.length, faults };
}

class Chain {
  lines = 0;
  first: CustodyLine | null = null;
  last: CustodyLine | null = null;
  end: ChainEnd;
  readonly faults: ChainFault[] = [];
  #isKnown: boolean;

  constructor(after: ChainEnd | null) {
    this.#isKnown = after !== null;
    this.end = after ?? { seq: 0, head: NO_HASH };
  }

  /** @returns the line; null when it is unreadable */
  add(raw: Uint8Array): CustodyLine | null {
    this.lines += 1;
    const line = parseLine(raw);
    const { seq, head } = this.end;
    const isKnown = this.#isKnown;
    this.#isKnown = true;
    if (line === null) {
      this.#fault('unreadable', 'cannot be read as a line of this log');
      this.end = { seq: seq + 1, head: sha256Hex(raw) };
      return null;
    }
    if (isKnown && line.seq > seq + 1)
      this.#fault(
        'missing',
        `${line.seq - seq - 1} line(s) before it are missing (number ${seq + 1} follows)`
      );
    else if (isKnown && line.seq <= seq)
      this.#fault('order', `number ${line.seq} stands after number ${seq}`);
    else if (isKnown && line.prev !== head)
      this.#fault('changed', `the line before it, number ${seq}, is not the one that was written`);
    this.first ??= line;
    this.last = line;
    this.end = { seq: line.seq, head: sha256Hex(raw) };
    return line;
  }

  #fault(kind: ChainFault['kind'], text: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push({ line: this.lines, kind, text });
  }
}
