import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { type CustodyLine, asLogged, parseLine } from './custody-line';
import { custodyFiles } from './custody-reader';

/** Where a search continues: before this byte of a file of the log. */
export interface HistoryPosition {
  file: string;
  before: number;
}

export interface RecordingHistory {
  /** Latest first. As they stand in the log: whether its chain is whole is the question of `verify`. */
  lines: CustodyLine[];
  /** Where the search was cut, and continues; null: it came to the beginning of the log. */
  next: HistoryPosition | null;
}

export interface HistoryOptions {
  /** Of the log. */
  directory: string;
  /** Null: at the end of the log. */
  from: HistoryPosition | null;
  signal?: AbortSignal;
  /** Lines of one answer. */
  mostLines?: number;
  /** Bytes that one answer looks at. Default 128 MiB: some 300,000 lines. */
  mostBytes?: number;
}

/** Bytes read at once. */
const BLOCK = 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Looks for the lines of a recording, backwards from the end of the log or from where an earlier search was cut. Only the lines
 * that name it are parsed; memory and time are bounded, however long the log is.
 *
 * @param recording as `recordingName` gives it
 * @throws the system's error; `signal.reason`
 */
export async function historyOf(
  recording: string,
  { directory, from, signal, mostLines = 200, mostBytes = 128 * 1024 * 1024 }: HistoryOptions
): Promise<RecordingHistory> {
  const name = asLogged(recording);
  const needle = Buffer.from(`"recording":${JSON.stringify(name)}`);
  const lines: CustodyLine[] = [];
  let looked = 0;
  const names = (await custodyFiles(directory)).filter((each) => from === null || each <= from.file);
  for (const file of names.reverse()) {
    const handle = await open(path.join(directory, file), 'r');
    try {
      const { size } = await handle.stat();
      let end = from?.file === file ? Math.min(from.before, size) : size;
      while (end > 0) {
        signal?.throwIfAborted();
        if (looked >= mostBytes || lines.length >= mostLines) return { lines, next: { file, before: end } };
        const block = await blockBefore(handle, end);
        looked += end - block.start;
        const found = linesIn(block.bytes, needle).filter(({ line }) => line.recording === name);
        const taken = found.reverse().slice(0, mostLines - lines.length);
        lines.push(...taken.map(({ line }) => line));
        const isCut = taken.length < found.length;
        end = isCut ? block.start + (taken.at(-1)?.at ?? 0) : block.start;
      }
    } finally {
      await handle.close();
    }
  }
  return { lines, next: null };
}

/** What ends at a byte of a file: whole lines, except where one is longer than a block, which is not ours. */
async function blockBefore(handle: FileHandle, end: number): Promise<{ bytes: Buffer; start: number }> {
  const start = Math.max(0, end - BLOCK);
  const buffer = Buffer.allocUnsafe(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  const bytes = buffer.subarray(0, bytesRead);
  // The line in which the block begins belongs to the block before it.
  const first = start === 0 ? 0 : bytes.indexOf(LINE_FEED) + 1;
  return first < bytes.length ? { bytes: bytes.subarray(first), start: start + first } : { bytes, start };
}

/** The lines that have the needle, in their order, and where each begins. */
function linesIn(bytes: Buffer, needle: Buffer): { line: CustodyLine; at: number }[] {
  const found: { line: CustodyLine; at: number }[] = [];
  for (let hit = bytes.indexOf(needle); hit !== -1;) {
    const at = bytes.lastIndexOf(LINE_FEED, hit) + 1;
    const feed = bytes.indexOf(LINE_FEED, hit);
    const end = feed === -1 ? bytes.length : feed + 1;
    const line = parseLine(bytes.subarray(at, end));
    if (line !== null) found.push({ line, at });
    hit = bytes.indexOf(needle, end);
  }
  return found;
}
