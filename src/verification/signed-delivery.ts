import type { WebhookErrorCode } from '../errors/codes';
import type { VerifiedBy } from '../events/event';
import { decodeStrictBase64 } from '../values/fields';

/** The input of a verifier. Header pairs are kept as received, so that repeats are visible. */
export interface SignedDelivery {
  /** Name, value, name, value, … as `IncomingMessage.rawHeaders`. */
  rawHeaders: readonly string[];
  /** The exact bytes received; empty for GET. */
  rawBody: Buffer;
  /** Raw query string without `?` of a GET delivery, else null. */
  query: string | null;
  /** When it arrived, milliseconds since 1970. */
  receivedAt: number;
}

/** The outcome of checking a delivery's signature. `keyIndex` counts the account's keys from 0. */
export type Verdict =
  | { ok: true; verified: VerifiedBy; keyIndex: number }
  | { ok: false; code: WebhookErrorCode; message: string };

/** What verified a delivery, so that anybody can verify it again. Never contains a secret. */
export interface SignatureProof {
  /** The headers that a verification reads, as received: name, value. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Base64; null where the key is a secret. */
  publicKey: string | null;
}

export interface DeliveryVerifier {
  /** Never rejects; a delivery that cannot be verified is refused. */
  verify(delivery: SignedDelivery): Promise<Verdict>;
  /** The proof of a delivery that `verify` has accepted with a key. */
  proof?(delivery: Pick<SignedDelivery, 'rawHeaders'>, keyIndex: number): SignatureProof;
}

export function refuse(code: WebhookErrorCode, message: string): Verdict & { ok: false } {
  return { ok: false, code, message };
}

/** Refuses every delivery, for the same reason. */
export function refusingAll(code: WebhookErrorCode, message: string): DeliveryVerifier {
  return { verify: () => Promise.resolve(refuse(code, message)) };
}

/** Whether a delivery has fields outside its body, which no signature over the body covers. */
export function hasQuery(delivery: SignedDelivery): delivery is SignedDelivery & { query: string } {
  return delivery.query !== null && delivery.query !== '';
}

/**
 * All values of one header, in order of arrival. Node joins repeated headers with a comma; a
 * signature that came twice must be seen as two.
 *
 * @param rawHeaders name, value, name, value, …
 * @param name lower-case header name
 */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    const value = rawHeaders[index + 1];
    if (candidate === undefined || value === undefined) continue;
    if (candidate.length !== name.length) continue;
    if (candidate === name || candidate.toLowerCase() === name) values.push(value);
  }
  return values;
}

/** The headers present among `names` (lower case), with their values as received. */
export function headersOf(
  rawHeaders: readonly string[],
  names: readonly string[]
): [name: string, value: string][] {
  const found: [name: string, value: string][] = [];
  for (const name of names) for (const value of headerValues(rawHeaders, name)) found.push([name, value]);
  return found;
}

/**
 * The one signature of a delivery, strict base64.
 *
 * @param header its lower-case name
 * @param length bytes of every signature of this scheme
 * @param sender its name in error texts
 */
export function readSignature(
  rawHeaders: readonly string[],
  header: string,
  length: number,
  sender: string
): { ok: true; signature: Buffer } | (Verdict & { ok: false }) {
  const [text, ...more] = headerValues(rawHeaders, header);
  if (text === undefined) {
    return refuse(
      'MISSING_SIGNATURE',
      `The header ${header} is missing. ${sender} signs every delivery: somebody else sent this request, or a proxy ` +
        'removed the header.'
    );
  }
  const signature = more.length === 0 ? decodeStrictBase64(text) : null;
  if (signature?.length !== length) {
    return refuse(
      'MALFORMED_SIGNATURE',
      `The header ${header} must be one base64 value of ${length} bytes. Somebody else sent this request, or a proxy ` +
        'changed the header.'
    );
  }
  return { ok: true, signature };
}

/** How a sender writes the time of signing. */
export interface TimestampFormat {
  sender: string;
  /** Matches the whole header. */
  pattern: RegExp;
  /** For the error text: what was expected. */
  described: string;
  /** @returns unix seconds */
  seconds: (number: number) => number;
}

/** Unix seconds; 12 digits reach the year 33658. */
const TELNYX_TIMESTAMP: TimestampFormat = {
  sender: 'Telnyx',
  pattern: /^\d{1,12}$/,
  described: 'unix seconds',
  seconds: (number) => number
};

export interface TimestampOptions {
  /** When the delivery arrived, milliseconds since 1970. */
  receivedAt: number;
  /** How far the sender's clock may be off, in either direction. */
  toleranceSeconds: number;
  /** Default: Telnyx's format. */
  format?: TimestampFormat;
}

/**
 * Checks a timestamp header. The text is kept as received: it is part of the signed bytes.
 *
 * @param header its name, for the error text
 * @param values all values of the header
 * @see developers.telnyx.com, "Webhook signing": reject what is older than five minutes
 */
export function checkTimestamp(
  header: string,
  values: readonly string[],
  { receivedAt, toleranceSeconds, format = TELNYX_TIMESTAMP }: TimestampOptions
): { ok: true; text: string } | (Verdict & { ok: false }) {
  const text = values[0];
  if (text === undefined) {
    return refuse(
      'BAD_TIMESTAMP',
      `The header ${header} is missing. ${format.sender} sends it with every delivery.`
    );
  }
  if (values.length > 1 || !format.pattern.test(text)) {
    return refuse(
      'BAD_TIMESTAMP',
      `The header ${header} must be one number of ${format.described}, digits only.`
    );
  }
  const exactOffset = receivedAt / 1000 - format.seconds(Number(text));
  const offset = Math.round(exactOffset);
  if (Math.abs(exactOffset) > toleranceSeconds) {
    const direction = offset > 0 ? 'in the past' : 'in the future';
    return refuse(
      'TIMESTAMP_OUT_OF_RANGE',
      `The delivery was signed ${Math.abs(offset)} s ${direction}; ${toleranceSeconds} s are allowed. ` +
        'If this happens to genuine deliveries, set the clock of this machine, or raise "Tolerance".'
    );
  }
  return { ok: true, text };
}
