import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Cursor } from '../src/reconcile/deliveries/search/delivery-place';
import { readDeliveryQuery } from '../src/reconcile/deliveries/search/delivery-query';
import { DeliverySearch } from '../src/reconcile/deliveries/search/delivery-search';
import { DeliveryLog } from '../src/webhook/log/delivery-log';
import type { BenchResult } from './bench-result';
import { DELIVERIES, fill } from './log';
import { measureSearches, PAGE_ROWS, type PageOf } from './search-pages';

const BEGIN = Date.UTC(2026, 0, 1);
const MIB = 2 ** 20;

/** Searches among a million logged deliveries as the tab "Deliveries" does. */
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
    const search = (query: Readonly<Record<string, unknown>>) => pagesOf(log, query);
    return await measureSearches(
      `${DELIVERIES} deliveries`,
      `${DELIVERIES} deliveries, ${(log.size / MIB).toFixed(0)} MiB on disk`,
      {
        'the latest ones': search({}),
        'an id that only the oldest one has': search({ what: 'the oldest of all' }),
        'a number that none has': search({ what: '+1 202 555 9999' }),
        'every thousandth, by provider': search({ provider: 'daily' }),
        'a type that none has': search({ events: 'fax.*' }),
        'one minute': search({ from: day, before: day + 60_000 }),
        'nothing that waits': search({ state: 'waiting' })
      }
    );
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function pagesOf(log: DeliveryLog, query: Readonly<Record<string, unknown>>): PageOf<Cursor> {
  const search = new DeliverySearch({
    logs: new Map([[7, log]]),
    isWaiting: () => false,
    pathOf: () => '/telnyx'
  });
  return (before, signal) =>
    search.page(
      readDeliveryQuery((name) => query[name]),
      { before, after: null, most: PAGE_ROWS },
      signal
    );
}
