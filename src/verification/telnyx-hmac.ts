import { isTooDeep } from '../events/reading/parse-body';
import { asFields, decodeStrictBase64, recordField, textField } from '../values/fields';
import { matchHmac } from './hmac';
import {
  type SignedDelivery,
  type Verdict,
  checkTimestamp,
  hasQuery,
  headerValues,
  refuse
} from './signed-delivery';

export const MEETING_SIGNATURE_HEADER = 'x-meeting-bot-signature';

/**
 * Telnyx meeting sessions: HMAC-SHA256 over the timestamp, `.`, and the raw body, with the
 * `webhook_secret` of the session. The header holds `t=<unix seconds>,v1=<hex>`; there may be
 * several `v1` while a secret is being replaced.
 *
 * @see developers.telnyx.com, meeting sessions, "Webhooks"
 */
export function verifyMeeting(
  delivery: SignedDelivery,
  secrets: readonly string[],
  toleranceSeconds: number
): Verdict {
  if (secrets.length === 0) {
    return refuse(
      'NO_PUBLIC_KEY',
      'A delivery of a meeting session cannot be verified because the account has no meeting secret. Put the ' +
        'webhook_secret of the session into "Meetings" of the account, or have the flow that starts the meeting keep it, ' +
        'as the help of the account shows.'
    );
  }
  const signature = readMeetingSignature(delivery, toleranceSeconds);
  if (!signature.ok) return signature;
  const { timestamp, digests } = signature;
  const keyIndex = matchHmac(secrets, [`${timestamp}.`, delivery.rawBody], digests);
  if (keyIndex !== -1) return { ok: true, verified: hasQuery(delivery) ? 'partial' : 'hmac', keyIndex };
  return refuse('SIGNATURE_MISMATCH', "The signature matches none of the account's meeting secrets.");
}

type MeetingSignature = { ok: true; timestamp: string; digests: Buffer[] } | (Verdict & { ok: false });

/** What the header of a meeting session says; checks its form and time, but not the signature. */
export function readMeetingSignature(delivery: SignedDelivery, toleranceSeconds: number): MeetingSignature {
  const headers = headerValues(delivery.rawHeaders, MEETING_SIGNATURE_HEADER);
  const parts = (headers.length === 1 ? (headers[0] ?? '') : '').split(',').map((part) => part.trim());
  const values = (name: string): string[] =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const digests = values('v1').filter((digest) => /^[0-9a-f]{64}$/i.test(digest));
  if (digests.length === 0) {
    return refuse(
      'MALFORMED_SIGNATURE',
      `The header ${MEETING_SIGNATURE_HEADER} must read t=<seconds>,v1=<hex>.`
    );
  }
  const timestamp = checkTimestamp(MEETING_SIGNATURE_HEADER, values('t'), {
    receivedAt: delivery.receivedAt,
    toleranceSeconds
  });
  if (!timestamp.ok) return timestamp;
  return {
    ok: true,
    timestamp: timestamp.text,
    digests: digests.map((digest) => Buffer.from(digest, 'hex'))
  };
}

/** Real ids have 44 characters. */
const LONGEST_SESSION_ID = 256;

/**
 * The session that a delivery claims to come from. Nothing of it is verified yet: it may choose a secret, and nothing
 * else.
 *
 * @returns null when the body names none
 */
export function claimedSession(rawBody: Buffer): string | null {
  const text = rawBody.toString('utf8');
  if (isTooDeep(text)) return null;
  try {
    const id = textField(recordField(asFields(JSON.parse(text)), 'data'), 'session_id');
    return id !== null && id.length <= LONGEST_SESSION_ID ? id : null;
  } catch {
    return null;
  }
}

export const LEGACY_SIGNATURE_HEADER = 'x-telnyx-signature';

/**
 * Telnyx API v1: HMAC-SHA256 over the raw body with the secret of the v1 profile. The digest's
 * encoding is not documented: hex and base64 are accepted, with or without `sha256=`. There is no
 * timestamp, so only the remembered identities stop a replay.
 */
export function verifyLegacy(delivery: SignedDelivery, secrets: readonly string[]): Verdict {
  if (secrets.length === 0) {
    return refuse(
      'NO_PUBLIC_KEY',
      'A delivery of Telnyx API v1 cannot be verified because the account has no legacy secret. Put the ' +
        'secret of the v1 profile into "API v1" of the account, or set the webhook API version to 2 in the portal.'
    );
  }
  const headers = headerValues(delivery.rawHeaders, LEGACY_SIGNATURE_HEADER);
  const text = headers.length === 1 ? (headers[0] ?? '') : '';
  const digest = readDigest(text.replace(/^sha256=/i, ''));
  if (digest === null) {
    return refuse(
      'MALFORMED_SIGNATURE',
      `The header ${LEGACY_SIGNATURE_HEADER} must be one SHA-256 digest in hex or base64.`
    );
  }
  const keyIndex = matchHmac(secrets, [delivery.rawBody], [digest]);
  if (keyIndex !== -1) return { ok: true, verified: hasQuery(delivery) ? 'partial' : 'hmac', keyIndex };
  return refuse('SIGNATURE_MISMATCH', "The signature matches none of the account's legacy secrets.");
}

function readDigest(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const bytes = decodeStrictBase64(text);
  return bytes?.length === 32 ? bytes : null;
}
