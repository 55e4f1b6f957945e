import { CodedError } from '../../errors/coded-error';
import { deliveryIdentity } from '../../events/build-event';
import { parseTelnyxDelivery } from '../../events/reading/parse-telnyx';
import type { ParsedEvent } from '../../events/event';
import type { ListedBatch } from '../../providers/provider';
import {
  addressesOf,
  readDelivery,
  type Unreadable
} from '../../providers/telnyx/deliveries/webhook-delivery';
import { asText, type Fields } from '../../values/fields';
import { isoOrNull, noteError } from '../reconcile';
import type { DeliverySummary } from './delivery-summary';
import type { EventFilter } from './event-patterns';
import { InOrder } from './in-order';
import type { FetchedDelivery, Reception } from './reception';

export interface MissedParts {
  only: 'missing' | 'all';
  outcome: 'any' | 'failed';
  isWanted: EventFilter;
  /** Whether a delivery to these addresses was meant for this Node-RED. */
  isOurs: (urls: readonly string[]) => boolean;
  reception: Pick<Reception, 'isKnown' | 'receive' | 'repeat'>;
  /** Resolves when the next one may be handed to the flow. */
  turn: () => Promise<void>;
  /** Called after each batch. */
  onProgress: () => void;
  signal: AbortSignal;
}

/** Entries that an error names. */
const MOST_NAMED = 5;
const LONGEST_NAME = 40;

/**
 * Compares what Telnyx has tried to deliver with what this Node-RED has accepted, and hands over the events that are
 * asked for, in the order in which they occurred. If the list breaks off, what it listed before is still handed over.
 *
 * @param list entries of `GET /v2/webhook_deliveries`
 * @param summary updated in place, even when the list fails
 * @throws as the list and the reception do; `signal.reason` when aborted
 */
export async function findMissed(
  list: AsyncIterable<ListedBatch>,
  parts: MissedParts,
  summary: DeliverySummary
): Promise<void> {
  const held = new InOrder<FetchedDelivery>(({ event, startedAt }) =>
    event.occurred_at === null ? (startedAt ?? 0) : Date.parse(event.occurred_at)
  );
  const unreadable = new UnreadableEntries();
  try {
    for await (const { items, gap, through } of list) {
      if (gap !== null) noteError(summary, gap);
      for (const item of items) {
        summary.listed += 1;
        const read = readEntry(item, parts);
        if (typeof read === 'string') count(read, item, summary, unreadable);
        else if (parts.only === 'missing' && (await parts.reception.isKnown(read))) summary.known += 1;
        else held.add(read, read.rawBody.length);
      }
      if (through !== null) {
        await handOver(held.take(through), parts, summary);
        summary.listed_through = isoOrNull(through);
      }
      parts.onProgress();
    }
  } finally {
    if (summary.unreadable > 0) noteError(summary, unreadable.error());
    if (!parts.signal.aborted) await handOver(held.take(), parts, summary);
  }
}

type Skipped = Unreadable | 'elsewhere' | 'other type' | 'other outcome';

function readEntry(item: Fields, { outcome, isWanted, isOurs }: MissedParts): FetchedDelivery | Skipped {
  if (!isOurs(addressesOf(item))) return 'elsewhere';
  const read = readDelivery(item);
  if (typeof read === 'string') return read;
  if (outcome === 'failed' && read.outcome === 'delivered') return 'other outcome';
  const rawBody = Buffer.from(JSON.stringify(read.body));
  const event = parseFetched(rawBody);
  if (event === null) return 'no event';
  if (event.own_id === null || event.own_id.trim() === '') return 'no id';
  if (!isWanted(event)) return 'other type';
  const id = deliveryIdentity(event, { rawBody, contentType: undefined, query: null });
  const isDelivered = read.outcome === null ? null : read.outcome === 'delivered';
  return { id, event, rawBody, startedAt: read.startedAt, isDelivered };
}

/** @returns null when it cannot be read */
export function parseFetched(rawBody: Buffer): ParsedEvent | null {
  const parsed = parseTelnyxDelivery({ rawBody, contentType: 'application/json', query: null });
  return parsed.ok ? parsed.event : null;
}

function count(why: Skipped, item: Fields, summary: DeliverySummary, unreadable: UnreadableEntries): void {
  if (why === 'elsewhere') summary.elsewhere += 1;
  else if (why === 'other type') summary.other_types += 1;
  else if (why !== 'other outcome') {
    summary.unreadable += 1;
    unreadable.add(why, item);
  }
}

async function handOver(
  found: readonly FetchedDelivery[],
  { only, reception, turn }: MissedParts,
  summary: DeliverySummary
): Promise<void> {
  const sent = new Set<string>();
  for (const fetched of found) {
    await turn();
    // It may have arrived since it was listed, or be in the list once for each address.
    const isKnown = await reception.isKnown(fetched);
    if (isKnown) summary.known += 1;
    if (isKnown && (only === 'missing' || sent.has(fetched.id))) continue;
    sent.add(fetched.id);
    if (isKnown) reception.repeat(fetched);
    else await reception.receive(fetched);
    summary.emitted += 1;
  }
}

/** What could not be read: how many, why, and the names of some. */
class UnreadableEntries {
  readonly #reasons = new Map<Unreadable, number>();
  readonly #names: string[] = [];

  add(why: Unreadable, item: Fields): void {
    this.#reasons.set(why, (this.#reasons.get(why) ?? 0) + 1);
    const name = asText(item['id'])
      ?.slice(0, LONGEST_NAME)
      .replace(/[^\w-]/g, '?');
    if (name !== undefined && this.#names.length < MOST_NAMED) this.#names.push(name);
  }

  error(): CodedError {
    const reasons = [...this.#reasons].map(([why, times]) => `${times} with ${why}`).join(', ');
    const names = this.#names.length === 0 ? '' : ` (such as ${this.#names.join(', ')})`;
    return new CodedError(
      'LIST_INCOMPLETE',
      `Telnyx's log contains deliveries with nothing to send on: ${reasons}${names}. Look at them in the Telnyx portal.`
    );
  }
}
