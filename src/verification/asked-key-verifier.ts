import type { AskedKeys } from './asked-keys';
import {
  type DeliveryVerifier,
  type SignatureProof,
  type SignedDelivery,
  type Verdict,
  refuse
} from './signed-delivery';
import { type TelnyxKeys, TelnyxVerifier, isSignedByKey } from './telnyx-verifier';

/**
 * Verifies deliveries of an account whose public key its API tells. When a signature matches no known key, the API is asked
 * for the present one, and the delivery is verified again if there is another.
 */
export class AskedKeyVerifier implements DeliveryVerifier {
  readonly #asked: AskedKeys;
  readonly #secrets: Omit<TelnyxKeys, 'publicKeys'>;
  readonly #toleranceSeconds: number;
  #publicKeys: readonly Buffer[];
  #verifier: TelnyxVerifier;
  /** What accepted a delivery, by its headers: its proof names the key, which may have been replaced since. */
  readonly #acceptedBy = new WeakMap<readonly string[], TelnyxVerifier>();

  /** @param toleranceSeconds in both directions */
  constructor(asked: AskedKeys, secrets: Omit<TelnyxKeys, 'publicKeys'>, toleranceSeconds: number) {
    this.#asked = asked;
    this.#secrets = secrets;
    this.#toleranceSeconds = toleranceSeconds;
    this.#publicKeys = asked.publicKeys;
    this.#verifier = this.#create();
  }

  async verify(delivery: SignedDelivery): Promise<Verdict> {
    const verifier = this.#present();
    const verdict = await this.#verdictOf(verifier, delivery);
    if (verdict.ok || !isSignedByKey(delivery.rawHeaders)) return verdict;
    if (verdict.code === 'NO_PUBLIC_KEY') return refuse(verdict.code, this.#whyUnknown());
    if (verdict.code !== 'SIGNATURE_MISMATCH') return verdict;
    // The keys may have changed in the meantime.
    if (this.#present() === verifier) {
      const renewal = await this.#asked.renew(delivery.rawBody);
      if (renewal === 'pending') return refuse('NO_PUBLIC_KEY', PENDING);
    }
    const next = this.#present();
    if (next !== verifier) {
      const second = await this.#verdictOf(next, delivery);
      if (second.ok) return second;
    }
    return refuse('SIGNATURE_MISMATCH', this.#whyMismatch());
  }

  proof({ rawHeaders }: Pick<SignedDelivery, 'rawHeaders'>, keyIndex: number): SignatureProof {
    return (this.#acceptedBy.get(rawHeaders) ?? this.#verifier).proof({ rawHeaders }, keyIndex);
  }

  async #verdictOf(verifier: TelnyxVerifier, delivery: SignedDelivery): Promise<Verdict> {
    const verdict = await verifier.verify(delivery);
    if (verdict.ok) {
      this.#acceptedBy.set(delivery.rawHeaders, verifier);
      if (verdict.verified !== 'hmac') this.#asked.accepted(delivery.rawBody, verdict.keyIndex);
    }
    return verdict;
  }

  /** The verifier for the keys that are valid now. */
  #present(): TelnyxVerifier {
    const { publicKeys } = this.#asked;
    if (publicKeys !== this.#publicKeys) {
      this.#publicKeys = publicKeys;
      this.#verifier = this.#create();
    }
    return this.#verifier;
  }

  #create(): TelnyxVerifier {
    return new TelnyxVerifier({ ...this.#secrets, publicKeys: this.#publicKeys }, this.#toleranceSeconds);
  }

  #whyUnknown(): string {
    const { fault } = this.#asked;
    return (
      'No delivery can be verified yet: Telnyx is being asked for the public key with the API key of the account. ' +
      (fault === null ? 'The sender was asked to try again.' : fault.message)
    );
  }

  #whyMismatch(): string {
    const { fault } = this.#asked;
    return (
      'The signature does not match the public key that Telnyx told for this account. Either it is not from this Telnyx ' +
      'account, or something between Telnyx and Node-RED changed the body.' +
      (fault === null ? '' : ` Whether there is a newer key is unknown. ${fault.message}`)
    );
  }
}

const PENDING =
  'The signature matches no known public key, and Telnyx is being asked whether there is a newer one. The sender was asked ' +
  'to try again.';
