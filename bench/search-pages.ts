import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { BenchResult } from './bench-result';

/** Milliseconds that anything else may have to wait during a search. */
const LONGEST_PAUSE = 50;
/** Milliseconds until a user sees the first rows of what is in the last entries. */
const FIRST_PAGE = 200;
/** Rows that are fetched at most, as a user who scrolls would. */
const MOST_ROWS = 1000;
const MIB = 2 ** 20;

/** Rows that the tabs of the sidebar ask for at a time. */
export const PAGE_ROWS = 50;

interface Page<Position> {
  found: readonly unknown[];
  looked: number;
  next: Position | null;
}

/** Gets one page of a search. @param after where the page before ended; null for the first one */
export type PageOf<Position> = (after: Position | null, signal: AbortSignal) => Promise<Page<Position>>;

/**
 * Searches page by page while the event loop is watched.
 *
 * @param among what there is, such as `1000000 files`
 * @param size what there is, in words
 * @param searches by name; the first one finds the latest
 */
export async function measureSearches<Position>(
  among: string,
  size: string,
  searches: Readonly<Record<string, PageOf<Position>>>
): Promise<BenchResult[]> {
  const details = [size];
  const measured: { first: number; p99: number }[] = [];
  for (const [name, pageOf] of Object.entries(searches)) {
    const told = await measure(pageOf);
    measured.push(told);
    details.push(
      `${name}: first rows ${told.first.toFixed(0)} ms, end ${told.all.toFixed(0)} ms in ${told.pages} pages, the longest ` +
        `${told.longest.toFixed(0)} ms (${told.looked} looked at, ${told.found} found); event loop p99 ` +
        `${told.p99.toFixed(1)} ms, longest ${told.max.toFixed(1)} ms; ${told.memory.toFixed(0)} MiB`
    );
  }
  const p99 = Math.max(...measured.map((told) => told.p99));
  const first = measured[0]?.first ?? NaN;
  return [
    {
      name: `search among ${among}, how many times the pauses of the event loop (p99) fit in ${LONGEST_PAUSE} ms`,
      ratio: LONGEST_PAUSE / p99,
      target: 1,
      details
    },
    {
      name: `first page of the latest of ${among}, how many times in ${FIRST_PAGE} ms`,
      ratio: FIRST_PAGE / first,
      target: 1,
      details: []
    }
  ];
}

interface Measured {
  /** Milliseconds until the first page with rows, until the longest page, and until the end. */
  first: number;
  longest: number;
  all: number;
  looked: number;
  found: number;
  pages: number;
  /** Of the event loop, milliseconds. */
  p99: number;
  max: number;
  /** Of the heap and buffers, MiB, at most at the end of a page. */
  memory: number;
}

async function measure<Position>(pageOf: PageOf<Position>): Promise<Measured> {
  const { signal } = new AbortController();
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const told = { first: 0, longest: 0, looked: 0, found: 0, pages: 0, memory: 0 };
  let after: Position | null = null;
  do {
    const pageBegun = performance.now();
    const page: Page<Position> = await pageOf(after, signal);
    const now = performance.now();
    told.longest = Math.max(told.longest, now - pageBegun);
    told.looked += page.looked;
    told.found += page.found.length;
    told.pages += 1;
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    told.memory = Math.max(told.memory, (heapUsed + arrayBuffers) / MIB);
    after = page.next;
    if (told.first === 0 && (told.found > 0 || after === null)) told.first = now - begun;
  } while (after !== null && told.found < MOST_ROWS);
  const all = performance.now() - begun;
  delay.disable();
  return { ...told, all, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}
