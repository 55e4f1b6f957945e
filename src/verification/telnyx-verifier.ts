import { headerValues } from './header-values';
import { SIGNATURE_HEADER, TelnyxEd25519 } from './telnyx-ed25519';
import { LEGACY_SIGNATURE_HEADER, verifyLegacy } from './telnyx-legacy';
import { MEETING_SIGNATURE_HEADER, verifyMeeting } from './telnyx-meeting';
import type { DeliveryVerifier, SignedDelivery, Verdict } from './verdict';

export interface TelnyxKeys {
  /** 32 bytes each. */
  publicKeys: readonly Buffer[];
  meetingSecrets: readonly string[];
  legacySecrets: readonly string[];
}

/**
 * Verifies what any Telnyx product sends. The header that is there names the scheme: Ed25519 first,
 * then meetings, then legacy v1; without one of them the delivery is unsigned and refused. A scheme
 * never steps in for another one that failed.
 */
export class TelnyxVerifier implements DeliveryVerifier {
  readonly #keys: TelnyxKeys;
  readonly #toleranceSeconds: number;
  readonly #ed25519: TelnyxEd25519;

  constructor(keys: TelnyxKeys, toleranceSeconds: number) {
    this.#keys = keys;
    this.#toleranceSeconds = toleranceSeconds;
    this.#ed25519 = new TelnyxEd25519(keys.publicKeys, toleranceSeconds);
  }

  async verify(delivery: SignedDelivery): Promise<Verdict> {
    const has = (name: string): boolean => headerValues(delivery.rawHeaders, name).length > 0;
    if (!has(SIGNATURE_HEADER)) {
      if (has(MEETING_SIGNATURE_HEADER)) {
        return verifyMeeting(delivery, this.#keys.meetingSecrets, this.#toleranceSeconds);
      }
      if (has(LEGACY_SIGNATURE_HEADER)) return verifyLegacy(delivery, this.#keys.legacySecrets);
    }
    return this.#ed25519.verify(delivery);
  }
}
