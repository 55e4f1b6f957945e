import { sleep } from '../../clock/backoff';
import { CodedError } from '../../errors/coded-error';
import type { Fields } from '../../values/fields';
import { heldBytes } from '../../values/held-bytes';
import {
  telnyxPage,
  type CreatedBetween,
  type TelnyxList,
  type TelnyxListing,
  type TelnyxPage
} from './list-page';

const ROUNDS = 5;
const PAUSE_MS = 400;

export interface WindowItems {
  /** By id. */
  items: Map<string, Fields>;
  gap: CodedError | null;
}

export interface WindowOptions {
  /** Whether items may still be added: then the first page is read again. */
  isNewest: boolean;
  /** More items than this are not read: they would not fit into memory. */
  most: number;
  /** Whether parts of the window can be asked for instead. */
  canBeCut: boolean;
  signal: AbortSignal;
}

/**
 * Reads all pages of a window. Pages are counted from the newest item, so when an item is deleted meanwhile, the
 * others move up and the first of the next page would be skipped. Therefore the window is read again until
 * nothing changes during the reading and there are as many items as the API counts.
 *
 * @param first its first page, already fetched
 * @returns the items of the last round, or of all rounds when `gap` is set; null when there are too many, or, if the
 *   window can be cut, when they are too large
 */
export async function readWindow(
  list: TelnyxList,
  between: CreatedBetween,
  first: TelnyxPage,
  { isNewest, most, canBeCut, signal }: WindowOptions
): Promise<WindowItems | null> {
  const { idOf, mostBytes = Infinity } = list.listing;
  const tooLarge = (...rounds: Map<string, Fields>[]): WindowItems | null => {
    if (canBeCut) return null;
    const items = new Map(rounds.flatMap((round) => [...round]));
    return { items, gap: tooManyBytes(list.listing, between, mostBytes) };
  };
  const all = new Map<string, Fields>();
  let page = first;
  for (let round = 1; ; round += 1) {
    const items = new Map<string, Fields>();
    const { total, items: newest } = page;
    let nameless = 0;
    let bytes = 0;
    let isStable = true;
    let isRepeated: boolean;
    for (let number = 1; ;) {
      const before = items.size + nameless;
      for (const item of page.items) {
        const id = idOf(item);
        if (id === null) nameless += 1;
        else {
          if (mostBytes < Infinity) bytes += heldBytes(item);
          if (bytes > mostBytes) return tooLarge(all, items);
          items.set(id, item);
        }
      }
      if (page.total !== total) isStable = false;
      if (items.size + nameless > most) return null;
      // A server that keeps listing the same items never comes to an end.
      isRepeated = page.items.length > 0 && items.size + nameless === before;
      const { next } = page;
      if (isRepeated || page.items.length === 0 || (next === null && number >= page.pages)) break;
      number += 1;
      page = await telnyxPage(list, between, { number, next });
    }
    if (isRepeated) isStable = false;
    if (isNewest && isStable && page.items !== newest) {
      const again = await telnyxPage(list, between, { number: 1 });
      isStable = again.total === total && again.items.map(idOf).join() === newest.map(idOf).join();
    }
    if (isStable && nameless === 0 && (total === null || items.size >= total)) return { items, gap: null };
    for (const [id, item] of items) all.set(id, item);
    if (mostBytes < Infinity && sumOf(all) > mostBytes) return tooLarge(all);
    if (round === ROUNDS || nameless > 0)
      return { items: all, gap: changing(list.listing, between, nameless) };
    await sleep(PAUSE_MS * round, signal);
    page = await telnyxPage(list, between, { number: 1 });
  }
}

function changing({ things, dated }: TelnyxListing, between: CreatedBetween, nameless: number): CodedError {
  const span = spanText(between);
  return new CodedError(
    'LIST_INCOMPLETE',
    nameless > 0
      ? `Of the ${things} ${dated} ${span}, the API lists ${nameless} without an id. Look at them in the Telnyx portal.`
      : `The list of ${things} ${dated} ${span} kept changing while it was read, so some may be missing from it. ` +
          'Run the list for this span again.'
  );
}

function sumOf(items: ReadonlyMap<string, Fields>): number {
  let bytes = 0;
  for (const item of items.values()) bytes += heldBytes(item);
  return bytes;
}

function tooManyBytes(
  { things, dated }: TelnyxListing,
  between: CreatedBetween,
  mostBytes: number
): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    `The ${things} ${dated} ${spanText(between)} take more than ${Math.round(mostBytes / 1024 / 1024)} MiB of memory, so ` +
      'only some of them were read. Look at the others in the Telnyx portal.'
  );
}

function spanText({ gte, lte }: CreatedBetween): string {
  return `between ${gte === null ? 'the beginning' : new Date(gte).toISOString()} and ${new Date(lte).toISOString()}`;
}
