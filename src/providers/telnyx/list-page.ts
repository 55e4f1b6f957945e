import { CodedError } from '../../errors/coded-error';
import { asCount, asFields, type Fields } from '../../values/fields';
import type { Ask } from '../http/patient-request';
import type { Query } from '../list-filter';

export const PAGE_SIZE = 250;

/** Both ends belong to it. Milliseconds since 1970. */
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
 * Asks for one page of `GET /v2/recordings` ("List all call recordings").
 *
 * @throws CodedError as `ask`; `LINK_REFUSED` when something else was answered
 */
export async function telnyxPage(
  ask: Ask,
  filter: Query,
  { gte, lte }: CreatedBetween,
  number: number
): Promise<TelnyxPage> {
  const query = {
    ...filter,
    ...(gte !== null && { 'filter[created_at][gte]': new Date(gte).toISOString() }),
    'filter[created_at][lte]': new Date(lte).toISOString(),
    'page[number]': String(number),
    'page[size]': String(PAGE_SIZE)
  };
  const answer = asFields(await ask({ method: 'GET', path: ['recordings'], query }));
  const data: unknown = answer?.['data'];
  if (!Array.isArray(data))
    throw new CodedError(
      'LINK_REFUSED',
      'Expected a list of recordings, but the API answered something else. Check the API address in the account.'
    );
  const items = data.map((item: unknown) => asFields(item) ?? {});
  const meta = asFields(answer?.['meta']);
  const pages = asCount(meta?.['total_pages']);
  return {
    items,
    total: asCount(meta?.['total_results']),
    // Without a count: as long as pages are full.
    pages: pages ?? (items.length < PAGE_SIZE ? number : number + 1)
  };
}
