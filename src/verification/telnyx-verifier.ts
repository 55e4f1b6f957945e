import { SIGNATURE_LENGTH, createEd25519Verifier } from './ed25519';
import {
  type DeliveryVerifier,
  type SignatureProof,
  type SignedDelivery,
  type Verdict,
  checkTimestamp,
  hasQuery,
  headerValues,
  headersOf,
  readSignature,
  refuse
} from './signed-delivery';
import {
  LEGACY_SIGNATURE_HEADER,
  MEETING_SIGNATURE_HEADER,
  claimedSession,
  readMeetingSignature,
  verifyLegacy,
  verifyMeeting
} from './telnyx-hmac';

const SIGNATURE_HEADER = 'telnyx-signature-ed25519';

const TIMESTAMP_HEADER = 'telnyx-timestamp';

const ED25519_HEADERS = [SIGNATURE_HEADER, TIMESTAMP_HEADER];
const HMAC_HEADERS = [MEETING_SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER];

/** Whether a delivery counts as signed by Telnyx's key: its header decides, and without any header it is unsigned. */
export function isSignedByKey(rawHeaders: readonly string[]): boolean {
  const has = (name: string): boolean => headerValues(rawHeaders, name).length > 0;
  return has(SIGNATURE_HEADER) || !HMAC_HEADERS.some(has);
}

/**
 * Finds the secrets of a meeting session that a flow has started. Never rejects.
 *
 * @param sessionId unverified; it only chooses
 */
export type MeetingSecretsOf = (sessionId: string) => Promise<readonly string[]>;

export interface TelnyxKeys {
  /** 32 bytes each. */
  publicKeys: readonly Buffer[];
  meetingSecrets: readonly string[];
  /** Asked when none of `meetingSecrets` fits. */
  meetingSecretsOf?: MeetingSecretsOf;
  legacySecrets: readonly string[];
}

/**
 * Verifies deliveries of any Telnyx product. The header determines the scheme: Ed25519 first, then meetings,
 * then legacy v1; without one of them the delivery is unsigned and rejected. If a scheme fails, no other
 * is tried.
 */
export class TelnyxVerifier implements DeliveryVerifier {
  readonly #keys: TelnyxKeys;
  readonly #toleranceSeconds: number;
  readonly #ed25519: TelnyxEd25519;
  readonly #publicKeys: readonly string[];

  constructor(keys: TelnyxKeys, toleranceSeconds: number) {
    this.#keys = keys;
    this.#toleranceSeconds = toleranceSeconds;
    this.#ed25519 = new TelnyxEd25519(keys.publicKeys, toleranceSeconds);
    this.#publicKeys = keys.publicKeys.map((key) => key.toString('base64'));
  }

  verify(delivery: SignedDelivery): Promise<Verdict> {
    const has = (name: string): boolean => headerValues(delivery.rawHeaders, name).length > 0;
    if (!has(SIGNATURE_HEADER)) {
      if (has(MEETING_SIGNATURE_HEADER)) return this.#meeting(delivery);
      if (has(LEGACY_SIGNATURE_HEADER))
        return Promise.resolve(verifyLegacy(delivery, this.#keys.legacySecrets));
    }
    return this.#ed25519.verify(delivery);
  }

  async #meeting(delivery: SignedDelivery): Promise<Verdict> {
    const { meetingSecrets, meetingSecretsOf } = this.#keys;
    const verdict = verifyMeeting(delivery, meetingSecrets, this.#toleranceSeconds);
    if (verdict.ok || meetingSecretsOf === undefined) return verdict;
    // A body is read only behind a header that can be right.
    const signature = readMeetingSignature(delivery, this.#toleranceSeconds);
    if (!signature.ok) return signature;
    const session = claimedSession(delivery.rawBody);
    const secrets = session === null ? [] : await meetingSecretsOf(session);
    if (secrets.length === 0) return verdict;
    const own = verifyMeeting(delivery, secrets, this.#toleranceSeconds);
    return own.ok ? { ...own, keyIndex: meetingSecrets.length } : own;
  }

  proof({ rawHeaders }: Pick<SignedDelivery, 'rawHeaders'>, keyIndex: number): SignatureProof {
    const signed = headersOf(rawHeaders, ED25519_HEADERS);
    if (signed.length > 0) return { headers: signed, publicKey: this.#publicKeys[keyIndex] ?? null };
    return { headers: headersOf(rawHeaders, HMAC_HEADERS), publicKey: null };
  }
}

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
  readonly #toleranceSeconds: number;

  /**
   * @param keys 32 bytes each, from `parsePublicKeys`
   * @param toleranceSeconds in both directions
   */
  constructor(keys: readonly Buffer[], toleranceSeconds: number) {
    this.#verifiers = keys.map((key) => createEd25519Verifier(key));
    this.#toleranceSeconds = toleranceSeconds;
  }

  verify(delivery: SignedDelivery): Promise<Verdict> {
    if (this.#verifiers.length === 0) {
      const refusal = refuse(
        'NO_PUBLIC_KEY',
        'No delivery can be verified because the account has no usable public key. Copy it from the ' +
          'Telnyx portal (Keys & Credentials, Public Key) into the account, or set TELNYX_PUBLIC_KEY.'
      );
      return Promise.resolve(refusal);
    }
    const read = readSignature(delivery.rawHeaders, SIGNATURE_HEADER, SIGNATURE_LENGTH, 'Telnyx');
    if (!read.ok) return Promise.resolve(read);
    const timestamp = checkTimestamp(TIMESTAMP_HEADER, headerValues(delivery.rawHeaders, TIMESTAMP_HEADER), {
      receivedAt: delivery.receivedAt,
      toleranceSeconds: this.#toleranceSeconds
    });
    if (!timestamp.ok) return Promise.resolve(timestamp);
    return this.#match(delivery, timestamp.text, read.signature);
  }

  async #match(delivery: SignedDelivery, timestamp: string, signature: Buffer): Promise<Verdict> {
    // One function for all of it: each further promise costs every delivery a turn of the microtask queue.
    const message = signedBytes(timestamp, delivery.rawBody);
    let index = 0;
    for (const verify of this.#verifiers) {
      if (await verify(message, signature))
        return { ok: true, verified: hasQuery(delivery) ? 'partial' : 'ed25519', keyIndex: index };
      index += 1;
    }
    if (hasQuery(delivery)) {
      const overQuery = signedBytes(timestamp, Buffer.from(delivery.query, 'latin1'));
      const queryKey = await this.#firstMatch(overQuery, signature);
      if (queryKey !== -1) return { ok: true, verified: 'ed25519', keyIndex: queryKey };
    }
    return refuse(
      'SIGNATURE_MISMATCH',
      "The signature matches none of the account's public keys. Either it is not from this Telnyx " +
        'account, or the key was replaced (copy it again), or something between Telnyx and Node-RED changed the body.'
    );
  }

  async #firstMatch(message: Buffer, signature: Buffer): Promise<number> {
    let index = 0;
    for (const verify of this.#verifiers) {
      if (await verify(message, signature)) return index;
      index += 1;
    }
    return -1;
  }
}

/** What Telnyx signs. @param timestamp digits */
function signedBytes(timestamp: string, content: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(timestamp.length + 1 + content.length);
  content.copy(bytes, bytes.write(`${timestamp}|`, 'latin1'));
  return bytes;
}
