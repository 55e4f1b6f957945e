import type { ParsedEvent } from '../../events/event';
import { webhookMessage, type WebhookMessage } from '../../events/build-event';
import type { AcceptedDelivery, DeliveryJournal, HandOver } from '../../webhook/journal/delivery-journal';
import type { Identities } from '../../webhook/journal/identities';
import type { EmittedDeliveries } from './emitted-deliveries';

/** An event from the provider's log, ready to be handed to the flow. */
export interface FetchedDelivery {
  /** Its identity, as for a delivery. */
  id: string;
  event: ParsedEvent;
  rawBody: Buffer;
  /** Of the first attempt. Milliseconds since 1970; null when unknown. */
  startedAt: number | null;
  /** Whether it was answered 200 in the end; null when unknown. */
  isDelivered: boolean | null;
}

/** A listening webhook node. */
export interface Receiver {
  isReceiving(id: string): boolean;
  hold(id: string, outcome: Promise<boolean>): void;
}

export interface ReceptionParts {
  /** Id of the node that fetches. */
  scope: string;
  journal: Pick<DeliveryJournal, 'accept' | 'pending'>;
  identities: Pick<Identities, 'find' | 'remember'>;
  emitted: Pick<EmittedDeliveries, 'has' | 'add' | 'claim'>;
  /** The provider's webhook nodes that listen now. */
  receivers: () => readonly Receiver[];
  /** Ids of the provider's webhook nodes, including disabled ones. */
  scopes: () => readonly string[];
  /** How long webhook nodes remember. Milliseconds. */
  rememberedMs: number;
  /** Hands a message to the flow, and tells the hand-over what becomes of it; null when nothing remembers it. */
  emit: (message: WebhookMessage, handOver: HandOver | null) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  signal: AbortSignal;
}

/** By how much the provider's clock may differ from ours. */
const CLOCKS_DIFFER_MS = 10 * 60_000;

/**
 * Receives events that did not come by webhook but were fetched. They are remembered like accepted deliveries, so that
 * a late delivery is a duplicate, and are handed over like them: what a crash keeps from the flow reaches it at the
 * next start.
 */
export class Reception {
  readonly #parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
  }

  /**
   * Whether this Node-RED has accepted the event, or is about to.
   *
   * @throws CodedError `NOT_RECORDED` when the memory cannot be read
   */
  async isKnown({ id, startedAt, isDelivered }: FetchedDelivery): Promise<boolean> {
    const { scope, identities, emitted, receivers, scopes, rememberedMs, now } = this.#parts;
    const webhookNodes = scopes();
    for (const one of [scope, ...webhookNodes])
      if ((await identities.find(one, id)) !== 'unknown') return true;
    // Last, because others may begin while the memory is asked.
    if (receivers().some((receiver) => receiver.isReceiving(id)) || emitted.has(id)) return true;
    // It may have been forgotten. Then the provider knows best whether it was accepted.
    const isOld = startedAt !== null && now() - startedAt > rememberedMs - CLOCKS_DIFFER_MS;
    return webhookNodes.length > 0 && isDelivered === true && isOld;
  }

  /**
   * Hands the flow an event that it does not have.
   *
   * @throws CodedError `NOT_RECORDED` when it cannot be recorded; then the flow does not get it
   */
  async receive({ id, event, rawBody }: FetchedDelivery): Promise<void> {
    const { scope, journal, emitted, receivers, emit, now, signal } = this.#parts;
    const { promise, resolve } = outcome();
    const release = emitted.claim(id);
    void promise.then(release);
    for (const receiver of receivers()) receiver.hold(id, promise);
    const delivery: AcceptedDelivery = {
      scope,
      id,
      receivedAt: now(),
      verified: 'api',
      keyIndex: 0,
      contentType: 'application/json',
      query: null,
      rawBody,
      provider: event.provider,
      eventType: event.event_type,
      proof: null
    };
    let handOver: HandOver;
    try {
      handOver = await journal.accept(delivery);
    } catch (error) {
      resolve(false);
      throw error;
    }
    // Real deliveries wait until their nodes know of it. An event that cannot be noted may come twice, but it comes.
    void this.#remember(id).then(() => resolve(true));
    if (signal.aborted) handOver.leave();
    else emit(messageOf(event, delivery), handOver);
  }

  /** Hands the flow an event that it has had before. */
  repeat({ id, event }: FetchedDelivery): void {
    const { emit, now } = this.#parts;
    emit(messageOf(event, { id, receivedAt: now(), verified: 'api', keyIndex: 0 }, true), null);
  }

  /** Hands over what was recorded before a crash, a restart or a redeploy and did not reach the flow. */
  recover(parse: (rawBody: Buffer) => ParsedEvent | null): void {
    const { journal, scope, emit, signal } = this.#parts;
    for (const { delivery, ...handOver } of journal.pending(scope)) {
      if (signal.aborted) {
        handOver.leave();
        return;
      }
      const event = parse(delivery.rawBody);
      if (event === null) handOver.done();
      else emit(messageOf(event, delivery), handOver);
    }
  }

  /** Never rejects. */
  async #remember(id: string): Promise<void> {
    const { identities, emitted, scopes } = this.#parts;
    await Promise.allSettled([
      emitted.add(id),
      ...scopes().map((scope) => identities.remember(scope, id, null))
    ]);
  }
}

function messageOf(
  event: ParsedEvent,
  {
    id,
    receivedAt,
    verified,
    keyIndex
  }: Pick<AcceptedDelivery, 'id' | 'receivedAt' | 'verified' | 'keyIndex'>,
  duplicate = false
): WebhookMessage {
  return webhookMessage(event, { id, receivedAt, verified, keyIndex, duplicate, recovered: true });
}

function outcome(): { promise: Promise<boolean>; resolve: (accepted: boolean) => void } {
  let resolve: (accepted: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((settle) => (resolve = settle));
  return { promise, resolve };
}
