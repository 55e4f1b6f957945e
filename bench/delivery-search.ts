import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Cursor } from '../src/reconcile/deliveries/search/delivery-place';
import { readDeliveryQuery } from '../src/reconcile/deliveries/search/delivery-query';
import { type DeliveryPage, DeliverySearch } from '../src/reconcile/deliveries/search/delivery-search';
import { DeliveryLog } from '../src/webhook/log/delivery-log';
import type { BenchResult } from './bench-result';
import { DELIVERIES, fill } from './log';

/** Milliseconds that anything else may have to wait during a search. */
const LONGEST_PAUSE = 50;
/** Milliseconds until a user sees the first rows. */
const FIRST_PAGE = 200;
const PAGE_ROWS = 50;
const BEGIN = Date.UTC(2026, 0, 1);
const MIB = 2 ** 20;

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

/** Searches among a million logged deliveries as the tab "Deliveries" does, while the event loop is watched. */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(path.join(process.cwd(), '.bench-log-'));
  const log = new DeliveryLog({ directory, log: console.error, since: null, onEntry: () => undefined });
  try {
    await fill(log, (number) => ({
      receivedAt: BEGIN + number * 1000,
      ...(number === 1 && { id: 'the oldest of all' }),
      ...(number % 1000 === 0 && { provider: 'daily', eventType: 'recording.started' })
    }));
    await log.writer.written();
    const day = BEGIN + 500_000_000;
    const searches: Record<string, object> = {
      'the latest ones': {},
      'an id that only the oldest one has': { what: 'the oldest of all' },
      'a number that none has': { what: '+1 202 555 9999' },
      'every thousandth, by provider': { provider: 'daily' },
      'a type that none has': { events: 'fax.*' },
      'one minute': { from: day, before: day + 60_000 },
      'nothing that waits': { state: 'waiting' }
    };
    const details = [`${DELIVERIES} deliveries, ${(log.size / MIB).toFixed(0)} MiB on disk`];
    let p99 = 0;
    let first = 0;
    for (const [name, query] of Object.entries(searches)) {
      const told = await measure(log, query);
      details.push(
        `${name}: first rows ${told.first.toFixed(0)} ms, end ${told.all.toFixed(0)} ms in ${told.pages} pages, the longest ` +
          `${told.longest.toFixed(0)} ms (${told.looked} looked at, ${told.found} found); event loop p99 ` +
          `${told.p99.toFixed(1)} ms, longest ${told.max.toFixed(1)} ms; ${told.memory.toFixed(0)} MiB`
      );
      p99 = Math.max(p99, told.p99);
      if (first === 0) first = told.first;
    }
    return [
      {
        name: `search among ${DELIVERIES} deliveries, how many times the pauses of the event loop (p99) fit in ${LONGEST_PAUSE} ms`,
        ratio: LONGEST_PAUSE / p99,
        target: 1,
        details
      },
      {
        name: `first page of the latest of ${DELIVERIES} deliveries, how many times in ${FIRST_PAGE} ms`,
        ratio: FIRST_PAGE / first,
        target: 1,
        details: []
      }
    ];
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** At most the first thousand rows are fetched, as a user who scrolls would. */
async function measure(log: DeliveryLog, query: object): Promise<Measured> {
  const search = new DeliverySearch({
    logs: new Map([[7, log]]),
    isWaiting: () => false,
    pathOf: () => '/telnyx'
  });
  const { signal } = new AbortController();
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const told = { first: 0, longest: 0, looked: 0, found: 0, pages: 0, memory: 0 };
  let before: Cursor | null = null;
  do {
    const pageBegun = performance.now();
    const page: DeliveryPage = await search.page(
      readDeliveryQuery((name) => (query as Record<string, unknown>)[name]),
      { before, after: null, most: PAGE_ROWS },
      signal
    );
    const now = performance.now();
    told.longest = Math.max(told.longest, now - pageBegun);
    told.looked += page.looked;
    told.found += page.found.length;
    told.pages += 1;
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    told.memory = Math.max(told.memory, (heapUsed + arrayBuffers) / MIB);
    before = page.next;
    if (told.first === 0 && (told.found > 0 || before === null)) told.first = now - begun;
  } while (before !== null && told.found < 1000);
  const all = performance.now() - begun;
  delay.disable();
  return { ...told, all, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}
