import { CodedError } from '../../errors/coded-error';
import {
  deliveryIdentity,
  webhookMessage,
  type DeliveryContent,
  type WebhookMessage
} from '../../events/build-event';
import type { ParsedEvent, VerifiedBy } from '../../events/event';
import type { Provider } from '../../events/provider';
import { PARSERS } from '../../events/reading/parsers';
import { isoOrNull, noteError } from '../reconcile';
import type { DeliverySummary } from './delivery-summary';
import type { EventFilter } from './event-patterns';
import { InOrder } from './in-order';

/** What is needed of an accepted delivery to hand it over again. */
export interface ReplayedDelivery extends DeliveryContent {
  provider: Provider;
  /** Milliseconds since 1970. */
  receivedAt: number;
  verified: VerifiedBy;
  keyIndex: number;
  /** Set for a later copy, which the flow got as well. */
  duplicate?: true;
}

export interface ReplayParts<Delivery extends ReplayedDelivery = ReplayedDelivery> {
  /** Null: all. */
  provider: Provider | null;
  isWanted: EventFilter;
  /** @param delivery whose message it is */
  emit: (message: WebhookMessage, delivery: Delivery) => void;
  /** Resolves when the next one may be handed to the flow. */
  turn: () => Promise<void>;
  /** Called after each batch. */
  onProgress: () => void;
  signal: AbortSignal;
}

/**
 * Hands deliveries to the flow again, in the order in which they occurred.
 *
 * @param log accepted deliveries of the span, oldest first
 * @param summary updated in place
 * @throws as the log and `turn` do; `signal.reason` when aborted
 */
export async function replayDeliveries<Delivery extends ReplayedDelivery>(
  log: AsyncIterable<readonly Delivery[]>,
  { provider, isWanted, emit, turn, onProgress, signal }: ReplayParts<Delivery>,
  summary: DeliverySummary
): Promise<void> {
  const held = new InOrder<{ message: WebhookMessage; delivery: Delivery }>(({ message: { event } }) =>
    Date.parse(event.occurred_at ?? event.received_at)
  );
  const handOver = async (
    ready: readonly { message: WebhookMessage; delivery: Delivery }[]
  ): Promise<void> => {
    for (const { message, delivery } of ready) {
      await turn();
      emit(message, delivery);
      summary.emitted += 1;
    }
  };
  for await (const batch of log) {
    signal.throwIfAborted();
    for (const delivery of batch) {
      summary.listed += 1;
      const event = provider === null || provider === delivery.provider ? parse(delivery) : 'other provider';
      if (event === null) summary.unreadable += 1;
      else if (event === 'other provider' || !isWanted(event)) summary.other_types += 1;
      else {
        summary.known += 1;
        held.add({ message: messageOf(event, delivery, true), delivery }, delivery.rawBody.length);
      }
    }
    const through = batch.at(-1)?.receivedAt;
    if (through !== undefined) {
      await handOver(held.take(through));
      summary.listed_through = isoOrNull(through);
    }
    onProgress();
  }
  await handOver(held.take());
  if (summary.unreadable > 0) noteError(summary, unreadable(summary.unreadable));
}

/** What is said when the log does not have all deliveries of a span. */
export function missingFromLog(): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    'The delivery log no longer has all deliveries of this span: some were older than "Keep" of their webhook node, were ' +
      'removed to stay within the size limit, or cannot be read. The log of Node-RED says so of the last two.'
  );
}

/** The version that accepted them could read them. */
function unreadable(count: number): CodedError {
  return new CodedError(
    'LIST_INCOMPLETE',
    `The delivery log has ${count} deliveries that this version cannot read. Replay them with the version that accepted them.`
  );
}

function parse(delivery: ReplayedDelivery): ParsedEvent | null {
  const parsed = PARSERS.get(delivery.provider)?.(delivery);
  return parsed?.ok === true ? parsed.event : null;
}

/** The message that the flow got with a delivery; null when this version cannot read it. */
export function loggedMessage(delivery: ReplayedDelivery): WebhookMessage | null {
  const event = parse(delivery);
  return event === null ? null : messageOf(event, delivery, false);
}

function messageOf(event: ParsedEvent, delivery: ReplayedDelivery, replayed: boolean): WebhookMessage {
  const { receivedAt, verified, keyIndex } = delivery;
  const id = deliveryIdentity(event, delivery);
  return webhookMessage(event, {
    id,
    receivedAt,
    verified,
    keyIndex,
    duplicate: delivery.duplicate === true,
    recovered: false,
    replayed
  });
}
