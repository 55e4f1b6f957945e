import { CodedError } from '../../errors/coded-error';
import { asCount, asFields, type Fields } from '../../values/fields';
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
}

/**
 * Asks for one page of a list.
 *
 * @throws CodedError as `ask`; `LINK_REFUSED` for any other answer
 */
export async function telnyxPage(
  { ask, listing, filter }: TelnyxList,
  { gte, lte }: CreatedBetween,
  number: number
): Promise<TelnyxPage> {
  const { path, things, time, pageSize, keep } = listing;
  const query = {
    ...filter,
    ...(gte !== null && { [`filter[${time}][gte]`]: new Date(gte).toISOString() }),
    [`filter[${time}][lte]`]: new Date(lte).toISOString(),
    'page[number]': String(number),
    'page[size]': String(pageSize)
  };
  const answer = asFields(await ask({ method: 'GET', path: [path], query }));
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
    pages: pages ?? (items.length < pageSize ? number : number + 1)
  };
}
