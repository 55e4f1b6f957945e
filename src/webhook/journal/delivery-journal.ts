import type { VerifiedBy } from '../../events/event';
import type { Provider } from '../../events/provider';
import type { SignatureProof } from '../../verification/signed-delivery';
import type { FlowAnswer } from '../endpoint/flow-reply';

/** What must be known of a delivery to hand it over after a crash, or to send it once more. */
export interface AcceptedDelivery {
  /** Node id; each node has its own memory. */
  scope: string;
  /** Its identity; see `rememberedId`. Former versions wrote `partial ` before that of a `partial` one. */
  id: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  verified: VerifiedBy;
  keyIndex: number;
  contentType: string | undefined;
  /** Raw query string of a GET delivery, else null. */
  query: string | null;
  rawBody: Buffer;
  provider: Provider;
  eventType: string;
  /** What verified it; null when it was not signed. */
  proof: SignatureProof | null;
  /** Set for a later copy that the flow gets as well. It changes nothing in what is remembered of the first. */
  duplicate?: true;
}

/** How the hand-over of an accepted delivery ends. Exactly one of the two functions is called, once. */
export interface HandOver {
  /** Tells it from others of the same event; the same when the delivery is found again among the pending ones. */
  name: string;
  /** The flow has it. */
  done: () => void;
  /** The node closed before it could send; its successor finds the delivery among the pending ones. */
  leave: () => void;
}

/** A delivery that was accepted and not handed over. */
export interface PendingDelivery extends HandOver {
  delivery: Omit<AcceptedDelivery, 'provider' | 'eventType' | 'proof'>;
}

/** What this process has accepted. How durable it is depends on the implementation. */
export interface DeliveryJournal {
  /**
   * Records a delivery that is about to be answered and handed over. Durable when resolved.
   *
   * @throws CodedError `NOT_RECORDED`
   */
  accept(delivery: AcceptedDelivery): Promise<HandOver>;

  /**
   * Records a delivery that the flow has answered with 2xx. Durable when resolved.
   *
   * @throws CodedError `NOT_RECORDED`
   */
  answered(delivery: AcceptedDelivery, answer: FlowAnswer): Promise<void>;

  /**
   * What a node accepted and could not hand over before it or the process ended, oldest first. Only
   * one caller gets each.
   */
  pending(scope: string): Iterable<PendingDelivery>;

  /** Resolves when all hand-overs reported so far are on disk (or cannot be written): then none is repeated. */
  written(): Promise<void>;
}
