import { CodedError } from '../../../src/errors/coded-error';
import { PROVIDERS } from '../../../src/events/provider';
import { loggedMessage } from '../../../src/reconcile/deliveries/replay-deliveries';
import {
  idOfPlace,
  readCursor,
  readPlace,
  textOfCursor
} from '../../../src/reconcile/deliveries/search/delivery-place';
import { readDeliveryQuery, stateOf } from '../../../src/reconcile/deliveries/search/delivery-query';
import {
  type DeliveryRow as FoundRow,
  DeliverySearch
} from '../../../src/reconcile/deliveries/search/delivery-search';
import { maskedText } from '../../../src/reconcile/deliveries/search/masked';
import { partiesOf, shownDelivery } from '../../../src/reconcile/deliveries/search/shown-message';
import type { AskedFor } from '../../admin/admin-route';
import type { NodeRedApi } from '../../lib/node-red';
import { allReceivers, receiverOf } from '../../webhook/webhook-receivers';
import { daysOfReceivers, deliveryLogs } from '../../webhook/webhook-runtime';
import type { DeliveriesReply, DeliveryRow, DetailsReply } from './deliveries-request';

const PAGE_ROWS = 50;
/** Rows that are asked about again in one request. */
const MOST_AGAIN = 200;

type Logs = NonNullable<ReturnType<typeof deliveryLogs>>;

const NO_LOGS: Logs = { logs: new Map(), isWaiting: () => false };

/** What the tab reads of the delivery log. Nothing is opened before the first request. */
export class DeliveryReader {
  readonly #RED: NodeRedApi;

  constructor(RED: NodeRedApi) {
    this.#RED = RED;
  }

  /** One page of what a user searches for; one at a time. @throws CodedError that says why there is none */
  async search(asked: AskedFor, signal: AbortSignal): Promise<Omit<DeliveriesReply, 'replay'>> {
    const query = readDeliveryQuery((name) => asked.value(name));
    const before = readCursor(asked.value('next'));
    const after = readCursor(asked.value('after'));
    const logs = deliveryLogs(this.#RED) ?? NO_LOGS;
    const search = new DeliverySearch({
      logs: logs.logs,
      isWaiting: (days, sequence) => logs.isWaiting(days, sequence),
      pathOf: (node) => this.#pathOf(node)
    });
    const page = await search.page(query, { before, after, most: PAGE_ROWS }, signal);
    const { next, end, looked, isIncomplete } = page;
    return {
      rows: page.found.map((row) => this.#rowOf(row)),
      next: next === null ? null : textOfCursor(next),
      end: textOfCursor(end),
      looked,
      isIncomplete,
      isOther: [...(after ?? [])].some(([days, sequence]) => sequence > (end.get(days) ?? 0)),
      handedOver: asked.texts('waiting', MOST_AGAIN).filter((id) => !isStillWaiting(logs, id)),
      ...this.#nodes()
    };
  }

  /** @throws CodedError `BAD_SETTING` when it is no longer in the log */
  details(asked: AskedFor): DetailsReply {
    const logs = deliveryLogs(this.#RED) ?? NO_LOGS;
    const place = readPlace(asked.value('id'));
    const delivery = place === null ? null : (logs.logs.get(place.days)?.at(place.place) ?? null);
    if (place === null || delivery === null)
      throw new CodedError(
        'BAD_SETTING',
        'This delivery is no longer in the log: it was older than "Keep" of its webhook node, or removed to stay within the ' +
          'size limit.'
      );
    const state = stateOf(delivery, logs.isWaiting(place.days, place.place.sequence));
    return { row: this.#rowOf({ ...place, delivery, state }), ...shownDelivery(delivery) };
  }

  #rowOf({ delivery, state, ...place }: FoundRow): DeliveryRow {
    const { receivedAt, provider, eventType, id, scope, verified } = delivery;
    return {
      id: idOfPlace(place),
      at: receivedAt,
      provider,
      type: maskedText(eventType),
      eventId: maskedText(id),
      node: scope,
      path: this.#pathOf(scope),
      verified,
      state,
      ...partiesOf(loggedMessage(delivery))
    };
  }

  #pathOf(node: string): string | null {
    return receiverOf(this.#RED, node)?.path ?? null;
  }

  #nodes(): Pick<DeliveriesReply, 'nodes' | 'notKept' | 'providers' | 'shownAs'> {
    const days = [...daysOfReceivers(this.#RED).values()];
    const shownAs: Record<string, string> = {};
    for (const [{ id, _alias }] of allReceivers(this.#RED)) if (_alias !== undefined) shownAs[id] = _alias;
    return {
      nodes: days.length,
      notKept: days.filter((kept) => kept === 0).length,
      providers: PROVIDERS,
      shownAs
    };
  }
}

function isStillWaiting(logs: Logs, id: string): boolean {
  const place = readPlace(id);
  return place !== null && logs.isWaiting(place.days, place.place.sequence);
}
