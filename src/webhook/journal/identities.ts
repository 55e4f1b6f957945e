import type { RememberedId } from '../../events/build-event';
import type { CopyOutcome, FlowAnswer } from '../endpoint/flow-reply';

/** What a copy of a delivery may do. */
export type Claim =
  | Claimed
  /** An earlier copy was accepted; its answer if there is one to repeat. */
  | { kind: 'accepted'; answer: FlowAnswer | null }
  /** An earlier copy is under way, here or in another process. `outcome` never rejects. */
  | { kind: 'elsewhere'; outcome: Promise<CopyOutcome> };

/** This copy is the first one, and the only one until the claim ends. */
export interface Claimed {
  kind: 'mine';
  /**
   * Ends the claim; only the first call counts. An accepted delivery has to be durable already, but is not answered yet:
   * a crash in between leads to a duplicate, never to a loss. Anything else leaves no trace, so that a retry is a first copy.
   *
   * @returns once the outcome is known wherever it is to be known; never rejects
   */
  end(outcome: CopyOutcome): Promise<void> | void;
}

/**
 * Which deliveries were accepted within the last 24 hours, and which are under way. Nothing here says how far that
 * reaches: to this process, or to all that share their work. docs/adr/seams.md lists the promises,
 * test/unit/webhook/journal/identities-contract.ts tests them.
 *
 * `scope` is a node id: each node has its own memory. All functions throw, or reject with, a CodedError `NOT_RECORDED` or
 * one of the state when the memory cannot be read.
 */
export interface Identities {
  /** Claims a delivery that has arrived. A claim that never ends would keep all copies waiting. */
  claim(scope: string, id: RememberedId): Claim | Promise<Claim>;
  /**
   * Claims a delivery that this process, or its predecessor, recorded and did not hand over.
   *
   * @returns false when it was accepted elsewhere meanwhile: then it must not be handed over
   */
  reclaim(scope: string, id: RememberedId): boolean | Promise<boolean>;
  /** What is known of a delivery, without claiming it. */
  find(scope: string, id: RememberedId): Promise<'accepted' | 'under-way' | 'unknown'>;
  /** Notes that an event was accepted in another way. Durable when resolved. */
  remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void>;
}
