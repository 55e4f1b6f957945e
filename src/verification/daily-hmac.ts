import { matchHmac } from './hmac';
import {
  type DeliveryVerifier,
  type SignatureProof,
  type SignedDelivery,
  type TimestampFormat,
  type Verdict,
  checkTimestamp,
  headerValues,
  headersOf,
  readSignature,
  refuse
} from './signed-delivery';

export const DAILY_SIGNATURE_HEADER = 'x-webhook-signature';
export const DAILY_TIMESTAMP_HEADER = 'x-webhook-timestamp';

const DIGEST_LENGTH = 32;

/**
 * A larger number is milliseconds: in seconds this is the year 5138, in milliseconds 1973. Daily does not
 * document the unit; milliseconds have been seen.
 */
const FIRST_MILLISECOND = 1e11;

const DAILY_TIMESTAMP: TimestampFormat = {
  sender: 'Daily',
  pattern: /^\d{1,15}$/,
  described: 'unix seconds or milliseconds',
  seconds: (number) => (number > FIRST_MILLISECOND ? number / 1000 : number)
};

/**
 * Daily: HMAC-SHA256 over the timestamp text as received, `.`, and the raw body. The key is the decoded
 * `hmac` of the webhook; the digest is base64.
 *
 * @see docs.daily.co, REST API, "Webhooks"
 */
export class DailyHmac implements DeliveryVerifier {
  readonly #secrets: readonly Buffer[];
  readonly #toleranceSeconds: number;

  /**
   * @param secrets decoded, from `parseDailySecrets`
   * @param toleranceSeconds in both directions
   */
  constructor(secrets: readonly Buffer[], toleranceSeconds: number) {
    this.#secrets = secrets;
    this.#toleranceSeconds = toleranceSeconds;
  }

  verify(delivery: SignedDelivery): Promise<Verdict> {
    return Promise.resolve(this.#verdict(delivery));
  }

  proof({ rawHeaders }: Pick<SignedDelivery, 'rawHeaders'>): SignatureProof {
    return {
      headers: headersOf(rawHeaders, [DAILY_SIGNATURE_HEADER, DAILY_TIMESTAMP_HEADER]),
      publicKey: null
    };
  }

  #verdict(delivery: SignedDelivery): Verdict {
    if (this.#secrets.length === 0) {
      return refuse(
        'NO_PUBLIC_KEY',
        'No delivery can be verified because the account has no usable secret. Copy the "hmac" of the ' +
          'webhook, as Daily returned it, into the account, or set DAILY_HMAC_SECRET.'
      );
    }
    const read = readSignature(delivery.rawHeaders, DAILY_SIGNATURE_HEADER, DIGEST_LENGTH, 'Daily');
    if (!read.ok) return read;
    const timestamp = checkTimestamp(
      DAILY_TIMESTAMP_HEADER,
      headerValues(delivery.rawHeaders, DAILY_TIMESTAMP_HEADER),
      { receivedAt: delivery.receivedAt, toleranceSeconds: this.#toleranceSeconds, format: DAILY_TIMESTAMP }
    );
    if (!timestamp.ok) return timestamp;
    const keyIndex = matchHmac(this.#secrets, [`${timestamp.text}.`, delivery.rawBody], [read.signature]);
    if (keyIndex !== -1) return { ok: true, verified: 'hmac', keyIndex };
    return refuse(
      'SIGNATURE_MISMATCH',
      "The signature does not match the account's secret. Either it is not from this webhook of Daily, or " +
        'something between Daily and Node-RED changed the body.'
    );
  }
}
