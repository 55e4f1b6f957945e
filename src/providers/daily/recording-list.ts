import { CodedError } from '../../errors/coded-error';
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

export interface DailyListOptions {
  ask: Ask;
  filter: Query;
  /** By when the recording began. Milliseconds since 1970. */
  from: number | null;
  to: number | null;
}

/**
 * Lists the recordings of a Daily domain, newest first, page by page after the last one seen. It returns a page
 * only once it has the next one, so a caller that deletes returned recordings does not remove the position of
 * the list. If that disappears anyway, the list starts over.
 *
 * @throws CodedError as `ask`; `LIST_INCOMPLETE` when it had to start over too often
 */
export async function* listDaily({ ask, filter, from, to }: DailyListOptions): AsyncGenerator<ListedBatch> {
  const seen = new IdSet();
  const order = new Order(from);
  let restarts = 0;
  /** Whether it skips known pages after the list started over. */
  let isCatchingUp = false;
  let cursor: string | null = null;
  let held: Fields[] = [];
  const batch = (items: Fields[]): ListedBatch => ({
    items: items.filter((item) => isWithin(item, from, to)),
    gap: null,
    through: null
  });
  for (;;) {
    const page: Fields[] | null = await pageAfter(ask, filter, cursor);
    const fresh = (page ?? []).filter((item) => seen.add(asText(item['id']) ?? ''));
    const last: string | null = asText(page?.at(-1)?.['id']);
    const isEnd = page?.length === 0 && (cursor === null || (await exists(ask, cursor)));
    // After a position that is gone, a server lists nothing, or everything again.
    const isOldNews: boolean = fresh.length === 0 && (!isCatchingUp || last === null || last === cursor);
    const isLost: boolean = !isEnd && cursor !== null && isOldNews;
    yield batch(held);
    held = fresh;
    if (isEnd || (page !== null && order.isPast(page))) break;
    if (isLost) restarts += 1;
    if (restarts > MOST_RESTARTS || (last === null && !isLost)) throw lost();
    isCatchingUp = fresh.length === 0 && (isCatchingUp || isLost);
    cursor = last;
  }
  yield batch(held);
}

/** @returns null when the position in the list is no longer known */
async function pageAfter(ask: Ask, filter: Query, cursor: string | null): Promise<Fields[] | null> {
  const query = {
    ...filter,
    limit: String(PAGE_SIZE),
    ...(cursor !== null && { starting_after: cursor })
  };
  try {
    const answer = asFields(await ask({ method: 'GET', path: ['recordings'], query }));
    const data: unknown = answer?.['data'];
    if (Array.isArray(data)) return data.map((item: unknown) => asFields(item) ?? {});
  } catch (error) {
    if (cursor !== null && isGone(error)) return null;
    throw error;
  }
  throw new CodedError(
    'LINK_REFUSED',
    'Expected a list of recordings, but the API answered something else. Check the API address in the account.'
  );
}

async function exists(ask: Ask, id: string): Promise<boolean> {
  try {
    await ask({ method: 'GET', path: ['recordings', idSegment(id)] });
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

function startOf(item: Fields): number {
  return Date.parse(readTime(item['start_ts']) ?? '');
}

function isWithin(item: Fields, from: number | null, to: number | null): boolean {
  const start = startOf(item);
  // A recording without a start time is never left out.
  return !(start < (from ?? -Infinity)) && !(start > (to ?? Infinity));
}

/** Detects that a chronological list has reached recordings that are too old. */
class Order {
  readonly #from: number | null;
  #isDescending = true;
  #last = Infinity;
  #oldPages = 0;

  constructor(from: number | null) {
    this.#from = from;
  }

  isPast(page: readonly Fields[]): boolean {
    const starts = page.map(startOf).filter((start) => !Number.isNaN(start));
    for (const start of starts) {
      if (start > this.#last + LONGEST_RECORDING_MS) this.#isDescending = false;
      this.#last = Math.min(this.#last, start);
    }
    const isOld = starts.every((start) => start < (this.#from ?? -Infinity) - LONGEST_RECORDING_MS);
    this.#oldPages = isOld ? this.#oldPages + 1 : 0;
    return this.#isDescending && this.#oldPages >= OLD_PAGES_TO_END;
  }
}

function lost(): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    "The list of Daily's recordings kept changing while it was read, so some may be missing from it. Run it again."
  );
}
