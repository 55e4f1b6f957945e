import { createHash } from 'node:crypto';
import type { WebhookMessage } from '../../../events/build-event';
import { asFields, asParty, firstText } from '../../../values/fields';
import type { LoggedDelivery } from '../../../webhook/log/record';
import { loggedMessage } from '../replay-deliveries';
import { masked, maskedText } from './masked';
import type { ShownDelivery, ShownProof } from './shown-delivery';

export function shownDelivery(delivery: LoggedDelivery): ShownDelivery {
  const message = loggedMessage(delivery);
  const { value, isCut } = masked(message);
  const { contentType, answer } = delivery;
  return {
    message: value,
    isCut,
    proof: shownProof(delivery),
    contentType: contentType === undefined ? null : maskedText(contentType),
    answer:
      answer === null
        ? null
        : { status: answer.status, contentType: answer.contentType, size: answer.body.length }
  };
}

/** All that is shown of a message, as a text to search in. */
export function shownText(delivery: LoggedDelivery): string {
  return JSON.stringify(masked(loggedMessage(delivery)).value);
}

/** Characters of a party in a row. */
const LONGEST_PARTY = 60;

/** Who is called, or gets a message; null when the event does not say. */
export function partiesOf(message: WebhookMessage | null): { from: string | null; to: string | null } {
  const payload = asFields(message?.payload);
  const shown = (...names: string[]): string | null => {
    if (payload === null) return null;
    const found = asParty(payload[names[0] ?? '']) ?? firstText(payload, ...names.slice(1));
    return found === null ? null : maskedText(found.slice(0, LONGEST_PARTY));
  };
  return { from: shown('from', 'From'), to: shown('to', 'To') };
}

/** Characters of a signature that are enough to tell it from others, and too few to use it. */
const SIGNATURE_BEGIN = 8;
/** Larger numbers are milliseconds, not seconds. */
const MOST_SECONDS = 1e11;

function shownProof({ verified, keyIndex, proof }: LoggedDelivery): ShownProof {
  const headers = (proof?.headers ?? []).map(([name, value]) => ({ name, value }));
  const time = headers.find(({ name }) => name.endsWith('-timestamp'))?.value;
  return {
    verified,
    keyIndex,
    fingerprint: proof?.publicKey == null ? null : fingerprintOf(proof.publicKey),
    signedAt: time === undefined ? null : readTime(Number(time)),
    headers: headers.map(({ name, value }) => ({
      name,
      value: name.includes('signature') ? `${value.slice(0, SIGNATURE_BEGIN)}…` : maskedText(value)
    }))
  };
}

function readTime(number: number): number | null {
  const time = number < MOST_SECONDS ? 1000 * number : number;
  return Number.isSafeInteger(time) && !Number.isNaN(new Date(time).getTime()) ? time : null;
}

function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}
