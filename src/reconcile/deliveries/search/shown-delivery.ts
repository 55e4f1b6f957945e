import type { VerifiedBy } from '../../../events/event';

// Types only: the editor uses them, too.

/** What became of a delivery, as far as the log knows. */
export type DeliveryState = 'handed-over' | 'waiting' | 'duplicate';

/** What the editor shows of a delivery: never a secret, and no link with what signs it. */
export interface ShownDelivery {
  /** The message as it went to the flow; null when this version cannot read the delivery. */
  message: unknown;
  /** Whether `message` lacks something because it is too long. */
  isCut: boolean;
  /** How it was verified; counts the keys of its account from 0. */
  proof: ShownProof;
  /** Of the request. */
  contentType: string | null;
  /** What the flow answered; null when it did not. */
  answer: { status: number; contentType: string | null; size: number } | null;
}

export interface ShownProof {
  verified: VerifiedBy;
  keyIndex: number;
  /** SHA-256 of the public key, in hex; null when the key is a secret, or nothing was signed. */
  fingerprint: string | null;
  /** When it was signed; null when unknown. Milliseconds since 1970. */
  signedAt: number | null;
  headers: { name: string; value: string }[];
}
