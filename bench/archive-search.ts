import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredRecordings } from '../src/archive/index/stored-index';
import { ArchiveSearch, type SearchPosition } from '../src/library/search/archive-search';
import { readQuery } from '../src/library/search/query';
import { StateDatabase } from '../src/state/state-database';
import type { BenchResult } from './bench-result';
import { measureSearches, PAGE_ROWS, type PageOf } from './search-pages';
import { indexedFile } from './stored-index';

const ENTRIES = 1_000_000;
const STEP = 10_000;
const MIB = 1024 ** 2;

/**
 * Searches among a million stored files as the tab "Archive" does: for what is in the latest ones, for a number that only
 * the oldest one has, for what none has, for the text of every hundredth, and in one day.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-search-'));
  const database = new StateDatabase(directory);
  try {
    const recordings = new StoredRecordings(database);
    await fill(database, recordings);
    const size = (await stat(join(directory, 'state', 'data.mdb'))).size / MIB;
    const day = timeOf(ENTRIES / 2);
    const search = (query: Readonly<Record<string, unknown>>) => pagesOf(recordings, query);
    return await measureSearches(`${ENTRIES} files`, `${ENTRIES} entries, ${size.toFixed(0)} MiB on disk`, {
      'the latest ones': search({}),
      'a number that only the oldest one has': search({ what: '+1 (202) 555-0000' }),
      'a number that none has': search({ what: '999 999 999' }),
      'a part of an id that none has': search({ what: 'no such id' }),
      'a text that none has': search({ text: 'refund' }),
      'one day': search({ from: day, before: day + 86_400_000, what: '+1 202 555' })
    });
  } finally {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function fill(database: StateDatabase, recordings: StoredRecordings): Promise<void> {
  for (let from = 0; from < ENTRIES; from += STEP) {
    const files = Array.from({ length: STEP }, (_value, offset) => {
      const number = from + offset;
      const transcription = number % 100 === 0 ? 'Hello, this is a call about an invoice. '.repeat(50) : null;
      return indexedFile(number, {
        started_at: new Date(timeOf(number)).toISOString(),
        from: number === 0 ? '+12025550000' : '+12025550100',
        transcription
      });
    });
    await database.commit(files.map((file) => recordings.entering('/var/recordings', file)));
  }
}

/** One call a minute. */
function timeOf(number: number): number {
  return Date.UTC(2024, 0, 1) + number * 60_000;
}

function pagesOf(
  recordings: StoredRecordings,
  query: Readonly<Record<string, unknown>>
): PageOf<SearchPosition> {
  const search = new ArchiveSearch({ recordings, textOf: () => Promise.resolve(null) });
  return (after, signal) =>
    search.page(
      readQuery((name) => query[name]),
      { after, most: PAGE_ROWS },
      signal
    );
}
