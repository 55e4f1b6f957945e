import { CodedError } from '../../errors/coded-error';
import { asCount, asFields, asText, type Fields } from '../../values/fields';
import type { Ask } from '../http/patient-request';
import type { Query } from '../list-filter';

/** A Telnyx list that is asked for by a span of time. */
export interface TelnyxListing {
  /** Last segment of its address. */
  readonly path: string;
  /** What it lists, for texts. */
  readonly things: string;
  /** Field by which it is filtered, and its wording in texts: `recordings created between …`. */
  readonly time: string;
  readonly dated: string;
  readonly pageSize: number;
  /** Bytes of the largest page. Default: as for the API. */
  readonly maxBody?: number;
  /** Items that are held in memory at once. Default: 2000. */
  readonly largestWindow?: number;
  /** Bytes that items of one window may take in memory. Default: any number. */
  readonly mostBytes?: number;
  /** The id of an item as the API lists it; null when it has none. */
  readonly idOf: (item: Fields) => string | null;
  /** What is kept of an item. Left out: all of it. */
  readonly keep?: (item: Fields) => Fields;
}

/** Where and how one list is asked for. */
export interface TelnyxList {
  ask: Ask;
  listing: TelnyxListing;
  filter: Query;
}

/** Both ends are included. Milliseconds since 1970. */
export interface CreatedBetween {
  /** Null: no limit. */
  gte: number | null;
  lte: number;
}

export interface TelnyxPage {
  items: Fields[];
  /** Null when the API does not say. */
  total: number | null;
  /** How many pages there are. */
  pages: number;
  /** What the query of the next page adds, where the API names that page; else null. */
  next: Query | null;
}

/**
 * Asks for one page of a list.
 *
 * @param next of the page before it, if the API named this one
 * @throws CodedError as `ask`; `LINK_REFUSED` for any other answer
 */
export async function telnyxPage(
  { ask, listing, filter }: TelnyxList,
  { gte, lte }: CreatedBetween,
  { number, next = null }: { number: number; next?: Query | null }
): Promise<TelnyxPage> {
  const { path, things, time, pageSize, maxBody, keep } = listing;
  const query = {
    ...(next ?? { 'page[number]': String(number) }),
    ...filter,
    ...(gte !== null && { [`filter[${time}][gte]`]: new Date(gte).toISOString() }),
    [`filter[${time}][lte]`]: new Date(lte).toISOString(),
    'page[size]': String(pageSize)
  };
  const answer = asFields(
    await ask({ method: 'GET', path: [path], query, ...(maxBody !== undefined && { maxBody }) })
  );
  const data: unknown = answer?.['data'];
  if (!Array.isArray(data))
    throw new CodedError(
      'LINK_REFUSED',
      `Expected a list of ${things}, but the API answered something else. Check the API address in the account.`
    );
  const items = data.map((item: unknown) => {
    const fields = asFields(item) ?? {};
    return keep === undefined ? fields : keep(fields);
  });
  const meta = asFields(answer?.['meta']);
  const pages = asCount(meta?.['total_pages']);
  return {
    items,
    total: asCount(meta?.['total_results']),
    // Without a count, continue while pages are full.
    pages: pages ?? (items.length < pageSize ? number : number + 1),
    next: nextOf(listing, meta)
  };
}

/** Far longer than any position in a list. */
const LONGEST_NEXT = 4096;

/**
 * Reads where the next page is. Of the address only the query counts: the account's API is asked, whatever host
 * the address names, and the window's own filters win.
 *
 * @throws CodedError `LIST_INCOMPLETE` when there is a next page, but no way to ask for it
 */
function nextOf({ things }: TelnyxListing, meta: Fields | null): Query | null {
  const next = asText(meta?.['next']);
  if (next === null) return null;
  const start = next.indexOf('?');
  const query = start === -1 || next.length > LONGEST_NEXT ? '' : next.slice(start + 1);
  // Telnyx does not escape the Base64 of its positions, in which a plus is no blank.
  const parameters = Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B')));
  if (Object.keys(parameters).length > 0) return parameters;
  const after = asText(asFields(meta?.['cursors'])?.['after']);
  if (after !== null && after.length <= LONGEST_NEXT) return { 'page[after]': after };
  throw new CodedError(
    'LIST_INCOMPLETE',
    `The API has more ${things}, but does not say how to ask for them. Check the API address in the account.`
  );
}
