import should from 'should';
import nacl from 'tweetnacl';
import type { SignedDelivery, Verdict } from '../../../src/verification/signed-delivery';

/** The clock of these tests, in unix seconds. */
export const NOW = 1_790_000_123;

/** A key pair whose seed is not a pattern that a bug could produce, too. */
export const PAIR = nacl.sign.keyPair.fromSeed(new Uint8Array(32).map((_, index) => index * 7 + 3));
export const OTHER_PAIR = nacl.sign.keyPair.fromSeed(new Uint8Array(32).map((_, index) => index * 5 + 1));

export const KEY = Buffer.from(PAIR.publicKey);
export const OTHER_KEY = Buffer.from(OTHER_PAIR.publicKey);

/** Ed25519 by tweetnacl, as base64. */
export function signature(message: string | Uint8Array, pair = PAIR): string {
  return Buffer.from(nacl.sign.detached(Buffer.from(message as string), pair.secretKey)).toString('base64');
}

export interface DeliveryParts {
  body?: string | Uint8Array;
  headers?: readonly [name: string, value: string][];
  query?: string | null;
  /** Milliseconds. */
  receivedAt?: number;
}

/** A delivery with exactly these headers. */
export function delivery(parts: DeliveryParts = {}): SignedDelivery {
  return {
    rawHeaders: (parts.headers ?? []).flat(),
    rawBody: Buffer.from((parts.body ?? '') as string),
    query: parts.query ?? null,
    receivedAt: parts.receivedAt ?? NOW * 1000
  };
}

/** The two headers of a delivery that Telnyx signed at `timestamp`. */
export function signedHeaders(
  body: string | Uint8Array,
  { timestamp = String(NOW), pair = PAIR } = {}
): [string, string][] {
  const message = Buffer.concat([Buffer.from(`${timestamp}|`), Buffer.from(body as string)]);
  return [
    ['Telnyx-Signature-Ed25519', signature(message, pair)],
    ['Telnyx-Timestamp', timestamp]
  ];
}

/** Asserts a rejection with this code and returns its message. */
export function refused(verdict: Verdict, code: string): string {
  if (verdict.ok) throw new Error(`Accepted as ${verdict.verified}, expected ${code}`);
  should(verdict.code).equal(code, verdict.message);
  verdict.message.should.not.be.empty();
  return verdict.message;
}

/** Asserts an acceptance. */
export function accepted(verdict: Verdict, verified: string, keyIndex = 0): void {
  should(verdict).deepEqual({ ok: true, verified, keyIndex });
}
