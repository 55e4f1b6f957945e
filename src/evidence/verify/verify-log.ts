import type { KeyObject } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type SignedCheckpoint, readCheckpoint } from '../custody/checkpoint';
import { type CustodyLine, NO_HASH, sha256Hex } from '../custody/custody-line';
import {
  type ChainEnd,
  type CustodyFileState,
  custodyFileNumber,
  custodyFiles,
  readCustodyFile
} from '../custody/custody-reader';
import type { StampVerdict } from '../timestamp/time-stamp';
import { isSignedBy, keyId, readPublicKey } from '../custody/signing-key';

/** Something that is not as it was written. */
export interface Finding {
  /** What it is about: a file of the log, or of the archive. */
  where: string;
  /** For people; a whole sentence. */
  text: string;
}

export interface LogReport {
  files: number;
  lines: number;
  checkpoints: number;
  anchors: number;
  /** Of the anchors, those whose authority leads to a root that was given. */
  rooted: number;
  /** Up to which file, included, checkpoints protect the log; null: no checkpoint is there. */
  signedUpTo: string | null;
  /** The ids of the keys that signed, in order. */
  keys: string[];
  /** The latest time at which the last proven checkpoint can have been made. ISO 8601 UTC. */
  provenAt: string | null;
}

export interface VerifyLogParts {
  /** Of the custody log. */
  directory: string;
  /** The public key that the auditor keeps; null: any key beside the log. */
  pinned: KeyObject | null;
  judgeStamp: (stamp: Buffer, bytes: Buffer) => StampVerdict;
  onLine: (line: CustodyLine) => void;
  onFinding: (finding: Finding) => void;
  /** Called after each file. */
  onFile: (report: LogReport) => void;
  signal?: AbortSignal;
}

interface Before {
  name: string;
  sha256: string;
  end: ChainEnd;
}

/**
 * Checks a custody log from its first line to its last: each line against the one before it, each file against what the next
 * one says of it, and all against the signed checkpoints and their time stamps.
 *
 * @throws the system's error; `signal.reason`
 */
export async function verifyLog(parts: VerifyLogParts): Promise<LogReport> {
  const { directory, onFinding, onLine, onFile, signal } = parts;
  const report: LogReport = {
    ...{
      files: 0,
      lines: 0,
      checkpoints: 0,
      anchors: 0,
      rooted: 0,
      signedUpTo: null,
      keys: [],
      provenAt: null
    }
  };
  const keys = await keysBeside(directory);
  const names = await custodyFiles(directory);
  const stamps = new StampsTold();
  let before: Before | null = null;
  let previous = NO_HASH;
  for (const name of names) {
    const state = await readCustodyFile(name, {
      directory,
      after: before?.end ?? { seq: 0, head: NO_HASH },
      onLine: (line) => {
        stamps.note(line);
        onLine(line);
      },
      ...(signal !== undefined && { signal })
    });
    tellFile(state, before, { isLast: name === names.at(-1), onFinding });
    const found = await readCheckpoint(directory, name);
    if (found !== null) {
      judgeCheckpoint(found, { state, previous, keys, parts, report });
      stamps.see(found);
      previous = found.sha256;
      report.signedUpTo = name;
    } else if (await hasLaterCheckpoint(directory, names, name))
      onFinding({ where: name, text: 'its checkpoint is missing, although later files have one.' });
    report.files += 1;
    report.lines += state.lines;
    before = { name, sha256: state.sha256, end: state.end };
    onFile(report);
  }
  stamps.tell(onFinding);
  await tellLeft(directory, names, onFinding);
  return report;
}

/** The time stamps that the log tells of: the removal of one has to be noticed. */
class StampsTold {
  /** By checkpoint: the SHA-256 of the time stamp. */
  readonly #told = new Map<string, string>();
  readonly #seen = new Map<string, string>();

  note({ event, details: { file, stamp_sha256 } }: CustodyLine): void {
    if (event === 'anchored' && typeof file === 'string' && typeof stamp_sha256 === 'string')
      this.#told.set(file, stamp_sha256);
  }

  see({ name, stamp }: SignedCheckpoint): void {
    if (stamp !== null) this.#seen.set(name, sha256Hex(stamp));
  }

  tell(onFinding: VerifyLogParts['onFinding']): void {
    for (const [name, sha256] of this.#told) {
      const seen = this.#seen.get(name);
      if (seen === sha256) continue;
      const text =
        seen === undefined
          ? 'the log tells of this time stamp, but it is missing.'
          : 'it was replaced: the log tells of another one.';
      onFinding({ where: `${name}.tsr`, text });
    }
  }
}

function tellFile(
  { name, first, faults, torn }: CustodyFileState,
  before: Before | null,
  { isLast, onFinding }: { isLast: boolean; onFinding: VerifyLogParts['onFinding'] }
): void {
  for (const { line, text } of faults) onFinding({ where: `${name}, line ${line}`, text: `${text}.` });
  // The last one may be written at this moment.
  if (torn > 0 && !isLast) onFinding({ where: name, text: `${torn} bytes after the last line are no line.` });
  const { previous_file, previous_sha256 } = first?.details ?? {};
  const [known, hash] = [before?.name ?? null, before?.sha256 ?? NO_HASH];
  if (first?.event !== 'opened') {
    onFinding({ where: name, text: 'its first line is missing, which names the file before it.' });
    return;
  }
  if (previous_file !== known)
    onFinding({
      where: name,
      text: `the file before it, ${String(previous_file)}, is missing${known === null ? '' : `; ${known} is there instead`}.`
    });
  else if (previous_sha256 !== hash)
    onFinding({
      where: known ?? name,
      text: 'it was changed after the next file was begun: its SHA-256 is another one.'
    });
  const [number, expected] = [
    custodyFileNumber(name),
    before === null ? 1 : (custodyFileNumber(before.name) ?? 0) + 1
  ];
  if (number !== expected && previous_file === known)
    onFinding({ where: name, text: `it has the number ${number ?? 0}, but ${expected} comes next.` });
}

interface JudgeOptions {
  state: CustodyFileState;
  previous: string;
  keys: ReadonlyMap<string, KeyObject>;
  parts: VerifyLogParts;
  report: LogReport;
}

function judgeCheckpoint(
  { name, bytes, checkpoint, signature, stamp }: SignedCheckpoint,
  { state, previous, keys, parts, report }: JudgeOptions
): void {
  const tell = (text: string): void => parts.onFinding({ where: name, text });
  report.checkpoints += 1;
  if (checkpoint === null) {
    tell('it cannot be read as a checkpoint.');
    return;
  }
  const { pinned } = parts;
  const key = pinned ?? keys.get(checkpoint.key) ?? null;
  if (key === null) tell('the public key that it names is not there.');
  else if (signature === null) tell('its signature is missing.');
  else if (!isSignedBy(key, bytes, signature))
    tell(
      pinned === null
        ? 'its signature does not fit: it was changed.'
        : 'it is not signed by the key that you gave: the log may have been written anew, or the key was replaced.'
    );
  else if (report.keys.at(-1) !== checkpoint.key) report.keys.push(checkpoint.key);
  const said = { ...checkpoint, first_seq: checkpoint.first_seq || (state.first?.seq ?? 0) };
  const found = {
    file: state.name,
    lines: state.lines,
    bytes: state.bytes,
    head: state.end.head,
    sha256: state.sha256,
    first_seq: state.first?.seq ?? 0,
    last_seq: state.last?.seq ?? 0
  };
  const differing = Object.entries(found).filter(
    ([what, value]) => said[what as keyof typeof found] !== value
  );
  if (differing.length > 0)
    tell(`${state.name} is not what was signed: another ${differing.map(([what]) => what).join(', ')}.`);
  if (checkpoint.previous !== previous)
    tell('it does not follow the checkpoint before it: one was changed, removed or written anew.');
  if (stamp === null) return;
  report.anchors += 1;
  const verdict = parts.judgeStamp(stamp, bytes);
  if (!verdict.ok) parts.onFinding({ where: `${name}.tsr`, text: verdict.text });
  else if (verdict.isRooted) {
    report.rooted += 1;
    report.provenAt = verdict.at;
  }
}

/** The public keys that lie beside the log, by their id. */
async function keysBeside(directory: string): Promise<Map<string, KeyObject>> {
  const keys = new Map<string, KeyObject>();
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((each) => /^key-[0-9a-f]{16}\.pem$/.test(each))) {
    const key = readPublicKey(await readFile(path.join(directory, name)));
    if (key !== null) keys.set(keyId(key), key);
  }
  return keys;
}

async function hasLaterCheckpoint(
  directory: string,
  names: readonly string[],
  than: string
): Promise<boolean> {
  for (const name of names) if (name > than && (await readCheckpoint(directory, name)) !== null) return true;
  return false;
}

/** A checkpoint whose file is gone: the end of the log was removed. */
async function tellLeft(
  directory: string,
  names: readonly string[],
  onFinding: VerifyLogParts['onFinding']
): Promise<void> {
  const known = new Set(names.map((name) => name.slice(0, 8)));
  const found = await readdir(directory).catch(() => []);
  for (const name of found)
    if (/^\d{8}-.*\.checkpoint\.json$/.test(name) && !known.has(name.slice(0, 8)))
      onFinding({ where: name, text: 'the file of the log that it signs is missing.' });
}
