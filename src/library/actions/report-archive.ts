import type { ClockGuard } from '../../evidence/custody/clock-guard';
import type { Deletions } from '../../evidence/deletion/deletions';
import type { FoundFile } from '../search/archive-search';
import { MOST_LISTED } from './delete-files';

/** A case that holds recordings. Times are ISO 8601 UTC. */
export interface HeldCase {
  id: string;
  reason: string;
  by: string;
  /** When its first hold was placed. */
  at: string;
  recordings: number;
}

/** What is stored, how long it is kept, and what was deleted. */
export interface ArchiveReport {
  made_at: string;
  files: number;
  /** Of all files. */
  bytes: number;
  dates: {
    /** Files whose date of deletion has come; held ones, too. */
    due: number;
    due_within_30_days: number;
    /** Files without a date of deletion. */
    without: number;
    /** Files that have to be kept for now. */
    retained: number;
  };
  /** Files with a lock that the store has confirmed. */
  locked: number;
  held: { recordings: number; cases: HeldCase[] };
  /** Deleted files of all time, whatever the query. */
  deleted: number;
  /** Why the clock of the machine is in doubt, so that nothing is swept; null: it is not. */
  clock_doubt: string | null;
}

const DAYS_30_MS = 30 * 24 * 60 * 60 * 1000;

/** @throws `signal.reason` when aborted */
export async function reportArchive(
  files: AsyncIterable<FoundFile>,
  {
    deletions: { holds, tombstones },
    clock,
    now
  }: {
    deletions: Pick<Deletions, 'holds' | 'tombstones'>;
    clock: Pick<ClockGuard, 'doubt'>;
    /** Milliseconds since 1970. */
    now: number;
  },
  signal: AbortSignal
): Promise<ArchiveReport> {
  const dates = { due: 0, due_within_30_days: 0, without: 0, retained: 0 };
  const counts = { files: 0, bytes: 0, locked: 0 };
  const cases = new Map<string, HeldCase>();
  const held = new Set<string>();
  for await (const { key, file } of files) {
    const { size, retention, lock } = file.recording;
    counts.files += 1;
    counts.bytes += size;
    if (lock !== undefined) counts.locked += 1;
    const end = Date.parse(retention?.delete_after ?? '');
    if (Number.isNaN(end)) dates.without += 1;
    else if (end <= now) dates.due += 1;
    else if (end <= now + DAYS_30_MS) dates.due_within_30_days += 1;
    if (Date.parse(retention?.retain_until ?? '') > now) dates.retained += 1;
    noteHolds(key[0], { holds, held, cases });
    signal.throwIfAborted();
  }
  return {
    made_at: new Date(now).toISOString(),
    ...counts,
    dates,
    held: { recordings: held.size, cases: [...cases.values()].slice(0, MOST_LISTED) },
    deleted: tombstones.count(),
    clock_doubt: clock.doubt()
  };
}

function noteHolds(
  recording: string,
  { holds, held, cases }: { holds: Deletions['holds']; held: Set<string>; cases: Map<string, HeldCase> }
): void {
  if (held.has(recording)) return;
  for (const { id, reason, by, at } of holds.active(recording)) {
    held.add(recording);
    const known = cases.get(id);
    if (known === undefined) cases.set(id, { id, reason, by, at, recordings: 1 });
    else Object.assign(known, { recordings: known.recordings + 1, at: at < known.at ? at : known.at });
  }
}
