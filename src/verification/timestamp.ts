import { refuse, type Verdict } from './verdict';

/** Unix seconds as Telnyx sends them; 12 digits reach the year 33658. */
const SECONDS = /^\d{1,12}$/;

/**
 * Checks a timestamp header of unix seconds. The text stays as it came: it is part of the signed bytes.
 *
 * @param values all values of the header
 * @param receivedAt milliseconds since 1970
 * @param toleranceSeconds how far the sender's clock may be off, in either direction
 * @see developers.telnyx.com, "Webhook signing": reject what is older than five minutes
 */
export function checkTimestamp(
  values: readonly string[],
  header: string,
  receivedAt: number,
  toleranceSeconds: number
): { ok: true; text: string } | (Verdict & { ok: false }) {
  const text = values[0];
  if (text === undefined) {
    return refuse('BAD_TIMESTAMP', `The header ${header} is missing. Telnyx sends it with every delivery.`);
  }
  if (values.length > 1 || !SECONDS.test(text)) {
    return refuse('BAD_TIMESTAMP', `The header ${header} must be one number of unix seconds, digits only.`);
  }
  const offset = Math.round(receivedAt / 1000 - Number(text));
  if (Math.abs(receivedAt / 1000 - Number(text)) > toleranceSeconds) {
    const direction = offset > 0 ? 'in the past' : 'in the future';
    return refuse(
      'TIMESTAMP_OUT_OF_RANGE',
      `The delivery was signed ${Math.abs(offset)} s ${direction}; ${toleranceSeconds} s are allowed. ` +
        'If this happens to genuine deliveries, set the clock of this machine.'
    );
  }
  return { ok: true, text };
}
