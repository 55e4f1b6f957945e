import { readCheckpoint } from '../custody/checkpoint';
import { CUSTODY_EVENTS } from '../custody/custody-line';
import { type ChainEnd, custodyFiles, readCustodyFile } from '../custody/custody-reader';
import type { Span } from './period';

/** A file of the custody log. */
export interface LogFile {
  file: string;
  lines: number;
  first_seq: number | null;
  last_seq: number | null;
  sha256: string;
  /** Lines that do not continue the chain. */
  faults: number;
  /** Of its checkpoint; null: the day is not signed (yet). */
  checkpoint_sha256: string | null;
  /** Of the reply of the time-stamping authority; null: there is none. */
  has_time_stamp: boolean;
}

/** What the custody log says of a period. */
export interface LogOfPeriod {
  files: readonly LogFile[];
  /** When the log begins, ISO 8601 UTC; null: there is none. */
  begins_at: string | null;
  /** Lines of the period by event, in the order of names. */
  events: Readonly<Record<string, number>>;
  faults: number;
  /** Lines that could not be written. */
  lost_lines: number;
  /** Lines that say that the clock could not be trusted. */
  clock_jumps: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const KNOWN: ReadonlySet<string> = new Set(CUSTODY_EVENTS);

/**
 * Reads the files of the log that were begun in a period, and all between them: a clock that was wrong meanwhile hides nothing.
 * Uses little memory.
 *
 * @param directory of the log
 * @throws the system's error; `signal.reason`
 */
export async function readLogOfPeriod(
  directory: string,
  period: Span,
  signal: AbortSignal
): Promise<LogOfPeriod> {
  const names = await custodyFiles(directory);
  const inPeriod = names.map((name) => {
    const day = Date.parse(name.slice(-'2026-11-30.jsonl'.length, -'.jsonl'.length));
    // The file of a day that was begun before midnight may hold lines of the next one.
    return day >= period.from - DAY_MS && day < period.to;
  });
  const [first, last] = [inPeriod.indexOf(true), inPeriod.lastIndexOf(true)];
  const wanted = first === -1 ? [] : names.slice(first, last + 1);
  const tally = new Tally(period);
  const files: LogFile[] = [];
  let after: ChainEnd | null = null;
  for (const name of wanted) {
    const state = await readCustodyFile(name, {
      directory,
      after,
      signal,
      onLine: (line) => tally.add(line)
    });
    after = state.end;
    const checkpoint = await readCheckpoint(directory, name);
    files.push({
      file: name,
      lines: state.lines,
      first_seq: state.first?.seq ?? null,
      last_seq: state.last?.seq ?? null,
      sha256: state.sha256,
      faults: state.faults.length,
      checkpoint_sha256: checkpoint?.sha256 ?? null,
      has_time_stamp: checkpoint?.stamp != null
    });
  }
  return {
    files,
    begins_at: await beginOf(directory, names[0], signal),
    events: tally.events(),
    faults: files.reduce((sum, { faults }) => sum + faults, 0),
    lost_lines: tally.lostLines,
    clock_jumps: tally.clockJumps
  };
}

async function beginOf(
  directory: string,
  name: string | undefined,
  signal: AbortSignal
): Promise<string | null> {
  if (name === undefined) return null;
  const { first } = await readCustodyFile(name, { directory, after: null, signal });
  return first?.at ?? null;
}

class Tally {
  lostLines = 0;
  clockJumps = 0;
  readonly #events = new Map<string, number>();
  readonly #period: Span;

  constructor(period: Span) {
    this.#period = period;
  }

  add({
    at,
    event,
    details
  }: {
    at: string;
    event: string;
    details: Readonly<Record<string, unknown>>;
  }): void {
    // In all files: while the clock is wrong, so are the times of the lines.
    if (event === 'clock-jump' && details['doubt'] !== 'none') this.clockJumps += 1;
    if (event === 'gap') this.lostLines += Number(details['lines']) || 1;
    const time = Date.parse(at);
    if (!(time >= this.#period.from && time < this.#period.to)) return;
    const name = KNOWN.has(event) ? event : 'other';
    this.#events.set(name, (this.#events.get(name) ?? 0) + 1);
  }

  events(): Record<string, number> {
    return Object.fromEntries([...this.#events].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
