import { createEd25519Verifier, SIGNATURE_LENGTH } from './ed25519';
import { headerValues } from './header-values';
import { readSignature } from './signature-header';
import { checkTimestamp } from './timestamp';
import { hasQuery, refuse, type SignedDelivery, type Verdict } from './verdict';

export const SIGNATURE_HEADER = 'telnyx-signature-ed25519';
export const TIMESTAMP_HEADER = 'telnyx-timestamp';

/**
 * Telnyx API v2, TeXML and AI: Ed25519 over the timestamp text as received, `|`, and the raw body.
 *
 * What Telnyx signs on GET is not documented. An empty body is tried first, then the query string;
 * only the second makes the query trustworthy, so the first is reported as `partial`.
 *
 * @see developers.telnyx.com, "Webhook signing"
 */
export class TelnyxEd25519 {
  readonly #verifiers: ((message: Buffer, signature: Buffer) => Promise<boolean>)[];
  readonly #tolerance: number;

  /**
   * @param keys 32 bytes each, from `parsePublicKeys`
   * @param toleranceSeconds in both directions
   */
  constructor(keys: readonly Buffer[], toleranceSeconds: number) {
    this.#verifiers = keys.map((key) => createEd25519Verifier(key));
    this.#tolerance = toleranceSeconds;
  }

  async verify(delivery: SignedDelivery): Promise<Verdict> {
    if (this.#verifiers.length === 0) {
      return refuse(
        'NO_PUBLIC_KEY',
        'No delivery can be verified because the account has no usable public key. Copy it from the ' +
          'Telnyx portal (Keys & Credentials, Public Key) into the account, or set TELNYX_PUBLIC_KEY.'
      );
    }
    const read = readSignature(delivery.rawHeaders, SIGNATURE_HEADER, SIGNATURE_LENGTH, 'Telnyx');
    if (!read.ok) return read;
    const timestamp = checkTimestamp(
      headerValues(delivery.rawHeaders, TIMESTAMP_HEADER),
      TIMESTAMP_HEADER,
      delivery.receivedAt,
      this.#tolerance
    );
    if (!timestamp.ok) return timestamp;
    return this.#match(delivery, timestamp.text, read.signature);
  }

  async #match(delivery: SignedDelivery, timestamp: string, signature: Buffer): Promise<Verdict> {
    const prefix = Buffer.from(`${timestamp}|`, 'latin1');
    const keyIndex = await this.#firstMatch(Buffer.concat([prefix, delivery.rawBody]), signature);
    if (keyIndex !== -1) {
      return { ok: true, verified: hasQuery(delivery) ? 'partial' : 'ed25519', keyIndex };
    }
    if (hasQuery(delivery)) {
      const overQuery = Buffer.concat([prefix, Buffer.from(delivery.query, 'latin1')]);
      const queryKey = await this.#firstMatch(overQuery, signature);
      if (queryKey !== -1) return { ok: true, verified: 'ed25519', keyIndex: queryKey };
    }
    return refuse(
      'SIGNATURE_MISMATCH',
      'The signature fits none of the public keys of the account. Either it is not from this Telnyx ' +
        'account, or the key was replaced (copy it again), or something between Telnyx and Node-RED changed the body.'
    );
  }

  async #firstMatch(message: Buffer, signature: Buffer): Promise<number> {
    for (const [index, verify] of this.#verifiers.entries()) {
      if (await verify(message, signature)) return index;
    }
    return -1;
  }
}
