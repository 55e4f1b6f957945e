import { CodedError } from '../../errors/coded-error';
import { transcriptsListedByDaily } from '../../recording/extract/from-daily-text';
import { type Fields, asFields, asText } from '../../values/fields';
import { readTime } from '../../values/time';
import { idSegment } from '../http/api-address';
import type { Ask } from '../http/patient-request';
import type { Query } from '../list-filter';
import type { ListedBatch } from '../provider';
import { IdSet } from './id-set';

/** Daily "List recordings": the most per page. */
const PAGE_SIZE = 100;
/** How often the list may start over because its position was deleted. */
const MOST_RESTARTS = 10;
/** Recordings are listed by when they end, but dated by when they began. */
const LONGEST_RECORDING_MS = 24 * 60 * 60 * 1000;
const OLD_PAGES_TO_END = 3;

/** One of Daily's lists. */
export interface DailyListing {
  /** The path of the API. */
  readonly path: string;
  /** What it lists, in texts for people. */
  readonly things: string;
  readonly idOf: (item: Fields) => string | null;
  /** The field that dates an item. */
  readonly dated: string;
}

/** Daily "List recordings". */
export const RECORDINGS: DailyListing = {
  path: 'recordings',
  things: 'recordings',
  idOf: (item) => asText(item['id']),
  dated: 'start_ts'
};

/** Daily "List transcripts". */
export const TRANSCRIPTS: DailyListing = {
  path: 'transcript',
  things: 'transcripts',
  idOf: (item) => transcriptsListedByDaily.idOf(item),
  dated: 'created_at'
};

export interface DailyListOptions {
  ask: Ask;
  /** Default: the recordings. */
  listing?: DailyListing;
  filter: Query;
  /** By when the recording began, or the transcript was made. Milliseconds since 1970. */
  from: number | null;
  to: number | null;
}

/**
 * Lists the recordings or transcripts of a Daily domain, newest first, page by page after the last one seen. It returns a page
 * only once it has the next one, so a caller that deletes returned recordings does not remove the position of
 * the list. If that disappears anyway, the list starts over.
 *
 * @throws CodedError as `ask`; `LIST_INCOMPLETE` when it had to start over too often
 */
export async function* listDaily(options: DailyListOptions): AsyncGenerator<ListedBatch> {
  const { ask, listing = RECORDINGS, filter, from, to } = options;
  const { idOf } = listing;
  const timeOf = (item: Fields): number => Date.parse(readTime(item[listing.dated]) ?? '');
  const seen = new IdSet();
  const order = new Order(from, timeOf);
  let restarts = 0;
  /** Whether it skips known pages after the list started over. */
  let isCatchingUp = false;
  let cursor: string | null = null;
  let held: Fields[] = [];
  const batch = (items: Fields[]): ListedBatch => ({
    items: items.filter((item) => isWithin(timeOf(item), from, to)),
    gap: null,
    through: null
  });
  for (;;) {
    const page: Fields[] | null = await pageAfter(ask, listing, filter, cursor);
    const fresh = (page ?? []).filter((item) => seen.add(idOf(item) ?? ''));
    const last: string | null = idOf(page?.at(-1) ?? {});
    const isEnd = page?.length === 0 && (cursor === null || (await exists(ask, listing, cursor)));
    // After a position that is gone, a server lists nothing, or everything again.
    const isOldNews: boolean = fresh.length === 0 && (!isCatchingUp || last === null || last === cursor);
    const isLost: boolean = !isEnd && cursor !== null && isOldNews;
    yield batch(held);
    held = fresh;
    if (isEnd || (page !== null && order.isPast(page))) break;
    if (isLost) restarts += 1;
    if (restarts > MOST_RESTARTS || (last === null && !isLost)) throw lost(listing);
    isCatchingUp = fresh.length === 0 && (isCatchingUp || isLost);
    cursor = last;
  }
  yield batch(held);
}

/** @returns null when the position in the list is no longer known */
async function pageAfter(
  ask: Ask,
  { path, things }: DailyListing,
  filter: Query,
  cursor: string | null
): Promise<Fields[] | null> {
  const query = {
    ...filter,
    limit: String(PAGE_SIZE),
    ...(cursor !== null && { starting_after: cursor })
  };
  try {
    const answer = asFields(await ask({ method: 'GET', path: [path], query }));
    const data: unknown = answer?.['data'];
    if (Array.isArray(data)) return data.map((item: unknown) => asFields(item) ?? {});
  } catch (error) {
    if (cursor !== null && isGone(error)) return null;
    throw error;
  }
  throw new CodedError(
    'LINK_REFUSED',
    `Expected a list of ${things}, but the API answered something else. Check the API address in the account.`
  );
}

async function exists(ask: Ask, { path }: DailyListing, id: string): Promise<boolean> {
  try {
    await ask({ method: 'GET', path: [path, idSegment(id)] });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return (
    error instanceof CodedError &&
    !error.retryable &&
    (error.code === 'API_NOT_FOUND' || error.code === 'LINK_REFUSED')
  );
}

/** @param start NaN when unknown */
function isWithin(start: number, from: number | null, to: number | null): boolean {
  // A recording without a start time is never left out.
  return !(start < (from ?? -Infinity)) && !(start > (to ?? Infinity));
}

/** Detects that a chronological list has reached recordings that are too old. */
class Order {
  readonly #from: number | null;
  readonly #timeOf: (item: Fields) => number;
  #isDescending = true;
  #last = Infinity;
  #oldPages = 0;

  constructor(from: number | null, timeOf: (item: Fields) => number) {
    this.#from = from;
    this.#timeOf = timeOf;
  }

  isPast(page: readonly Fields[]): boolean {
    const starts = page.map(this.#timeOf).filter((start) => !Number.isNaN(start));
    for (const start of starts) {
      if (start > this.#last + LONGEST_RECORDING_MS) this.#isDescending = false;
      this.#last = Math.min(this.#last, start);
    }
    const isOld = starts.every((start) => start < (this.#from ?? -Infinity) - LONGEST_RECORDING_MS);
    this.#oldPages = isOld ? this.#oldPages + 1 : 0;
    return this.#isDescending && this.#oldPages >= OLD_PAGES_TO_END;
  }
}

function lost({ things }: DailyListing): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    `The list of Daily's ${things} kept changing while it was read, so some may be missing from it. Run it again.`
  );
}
