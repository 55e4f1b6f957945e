import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { StoredRecordings } from '../src/archive/index/stored-index';
import { ArchiveSearch, type SearchPosition } from '../src/library/search/archive-search';
import { readQuery } from '../src/library/search/query';
import { StateDatabase } from '../src/state/state-database';
import type { BenchResult } from './bench-result';
import { indexedFile } from './stored-index';

const ENTRIES = 1_000_000;
const STEP = 10_000;
/** Milliseconds that anything else may have to wait during a search. */
const LONGEST_PAUSE = 50;
/** Milliseconds until a user sees the first rows of what is in the last entries. */
const FIRST_PAGE = 200;
const PAGE_ROWS = 50;
const MIB = 1024 ** 2;

interface Measured {
  /** Milliseconds until the first page, and until the end. */
  first: number;
  all: number;
  looked: number;
  found: number;
  /** Of the event loop, milliseconds. */
  p99: number;
  max: number;
}

/**
 * Searches among a million stored files: for what is in the latest ones, for a number that only the oldest one has, for
 * what none has, for the text of every hundredth, and in one day. The event loop is watched meanwhile.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-search-'));
  const database = new StateDatabase(directory);
  try {
    const recordings = new StoredRecordings(database);
    await fill(database, recordings);
    const size = (await stat(join(directory, 'state', 'data.mdb'))).size / MIB;
    const day = timeOf(ENTRIES / 2);
    const searches: Record<string, object> = {
      'the latest ones': {},
      'a number that only the oldest one has': { what: '+1 (202) 555-0000' },
      'a number that none has': { what: '999 999 999' },
      'a part of an id that none has': { what: 'no such id' },
      'a text that none has': { text: 'refund' },
      'one day': { from: day, before: day + 86_400_000, what: '+1 202 555' }
    };
    const details = [`${ENTRIES} entries, ${size.toFixed(0)} MB on disk`];
    let p99 = 0;
    let first = 0;
    for (const [name, query] of Object.entries(searches)) {
      const told = await measure(recordings, query);
      details.push(
        `${name}: first page ${told.first.toFixed(0)} ms, end ${told.all.toFixed(0)} ms (${told.looked} looked at, ` +
          `${told.found} found); event loop p99 ${told.p99.toFixed(1)} ms, longest ${told.max.toFixed(1)} ms`
      );
      p99 = Math.max(p99, told.p99);
      if (first === 0) first = told.first;
    }
    return [
      {
        name: `search among ${ENTRIES} files, how many times the pauses of the event loop (p99) fit in ${LONGEST_PAUSE} ms`,
        ratio: LONGEST_PAUSE / p99,
        target: 1,
        details
      },
      {
        name: `first page of the latest of ${ENTRIES} files, how many times in ${FIRST_PAGE} ms`,
        ratio: FIRST_PAGE / first,
        target: 1,
        details: []
      }
    ];
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

/** At most the first thousand files are fetched, as a user who scrolls would. */
async function measure(recordings: StoredRecordings, query: object): Promise<Measured> {
  const search = new ArchiveSearch({ recordings, textOf: () => Promise.resolve(null) });
  const { signal } = new AbortController();
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const told = { first: 0, looked: 0, found: 0 };
  let after: SearchPosition | null = null;
  do {
    const page: Awaited<ReturnType<ArchiveSearch['page']>> = await search.page(
      readQuery((name) => (query as Record<string, unknown>)[name]),
      { after, most: PAGE_ROWS },
      signal
    );
    told.looked += page.looked;
    told.found += page.found.length;
    after = page.next;
    if (told.first === 0 && (told.found > 0 || after === null)) told.first = performance.now() - begun;
  } while (after !== null && told.found < 1000);
  const all = performance.now() - begun;
  delay.disable();
  return { ...told, all, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}
