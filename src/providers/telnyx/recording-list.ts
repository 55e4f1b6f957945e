import { CodedError } from '../../errors/coded-error';
import { asText } from '../../values/fields';
import { readTime } from '../../values/time';
import type { ListedBatch } from '../provider';
import type { Ask } from '../http/patient-request';
import type { Query } from '../list-filter';
import { telnyxPage, type CreatedBetween, type TelnyxListing, type TelnyxPage } from './list-page';
import { readWindow } from './list-window';

/** "List all call recordings". */
export const RECORDINGS: TelnyxListing = {
  path: 'recordings',
  things: 'recordings',
  time: 'created_at',
  dated: 'created',
  pageSize: 250,
  idOf: ({ id }) => asText(id)
};

/** Items of one window, which are in memory together and are read again when a page changes. */
const LARGEST_WINDOW = 2000;
const WANTED_IN_WINDOW = 1200;
const MOST_PARTS = 16;
const SHORTEST_WINDOW_MS = 60_000;
/** Most items that are read of a window that cannot be cut. */
const MOST_AT_A_MOMENT = 50_000;
/** Windows overlap, because the server may round times. */
const OVERLAP_MS = 10_000;
/** Before the company had anything to list; only used to decide where to cut. */
const EARLIEST = Date.UTC(2010, 0);

interface Window extends CreatedBetween {
  /** What it was cut from. */
  parent?: { total: number; fullParts: number };
}

export interface TelnyxListOptions {
  ask: Ask;
  /** Default: the recordings. */
  listing?: TelnyxListing;
  filter: Query;
  /** By the listing's time. Milliseconds since 1970. */
  from: number | null;
  to: number;
  signal: AbortSignal;
  /** Default: the listing's, or 2000; for tests. */
  largestWindow?: number;
}

/**
 * Lists the items of an account, oldest first, in windows of time. A window with too many is split, so that
 * memory and the number of the last page stay small, however many items there are.
 *
 * @throws CodedError as `ask`; `LIST_INCOMPLETE` when the API lists items outside a window
 */
export async function* listTelnyx(options: TelnyxListOptions): AsyncGenerator<ListedBatch> {
  const { ask, listing = RECORDINGS, filter, from, to, signal } = options;
  const largestWindow = options.largestWindow ?? listing.largestWindow ?? LARGEST_WINDOW;
  const list = { ask, listing, filter };
  const waiting: Window[] = [{ gte: from, lte: to }];
  let before: ReadonlySet<string> = new Set();
  for (let window = waiting.pop(); window !== undefined; window = waiting.pop()) {
    const between = overlapping(window, from);
    const first = await telnyxPage(list, between, { number: 1 });
    checkHonoured(listing, window, between, first);
    const span = window.lte - (window.gte ?? EARLIEST);
    const canBeCut = span > 2 * SHORTEST_WINDOW_MS;
    if (canBeCut && first.total !== null && first.total > largestWindow) {
      waiting.push(...cut(window, first.total, largestWindow).reverse());
      continue;
    }
    const read = await readWindow(list, between, first, {
      isNewest: waiting.length === 0,
      canBeCut,
      most: canBeCut ? 2 * largestWindow : MOST_AT_A_MOMENT,
      signal
    });
    if (read === null) {
      if (!canBeCut) throw tooMany(listing, between);
      // The API did not say that there are so many, or does not count them, or they are large.
      waiting.push(...cut(window, first.total ?? Infinity, largestWindow).reverse());
      continue;
    }
    const { items, gap } = read;
    const fresh = [...items].filter(([id]) => !before.has(id));
    before = new Set(items.keys());
    yield { items: fresh.map(([, item]) => item), gap, through: window.lte };
  }
}

function overlapping({ gte, lte }: Window, from: number | null): CreatedBetween {
  if (gte === null) return { gte, lte };
  return { gte: Math.max(gte - OVERLAP_MS, from ?? -Infinity), lte };
}

function cut(window: Window, total: number, largest: number): Window[] {
  const begin = window.gte ?? EARLIEST;
  const span = window.lte - begin;
  const wanted = Math.min(WANTED_IN_WINDOW, largest / 2);
  const parts = Math.max(
    2,
    Math.min(MOST_PARTS, Math.ceil(total / wanted), Math.floor(span / SHORTEST_WINDOW_MS))
  );
  const parent = { total, fullParts: 0 };
  return Array.from({ length: parts }, (_part, index) => ({
    gte: index === 0 ? window.gte : Math.floor(begin + (span * index) / parts),
    lte: index === parts - 1 ? window.lte : Math.floor(begin + (span * (index + 1)) / parts),
    parent
  }));
}

function tooMany({ things, dated }: TelnyxListing, { lte }: CreatedBetween): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    `The API lists more than ${MOST_AT_A_MOMENT} ${things} ${dated} within two minutes, up to ` +
      `${new Date(lte).toISOString()}. Check the API address in the account, or list them by a filter.`
  );
}

/** A server that does not know a filter ignores it and lists everything, in every window. */
function checkHonoured(
  { things, time, dated }: TelnyxListing,
  { parent }: Window,
  { gte, lte }: CreatedBetween,
  page: TelnyxPage
): void {
  const outside = page.items.some((item) => {
    const created = Date.parse(readTime(item[time]) ?? '');
    return created < (gte ?? 0) - OVERLAP_MS || created > lte + OVERLAP_MS;
  });
  if (parent !== undefined && page.total !== null && page.total >= parent.total) parent.fullParts += 1;
  if (!outside && (parent?.fullParts ?? 0) < 2) return;
  throw new CodedError(
    'LIST_INCOMPLETE',
    `The API lists ${things} that were not ${dated} in the span of time that was asked for, so the list may be ` +
      'incomplete. Check the API address in the account.'
  );
}
