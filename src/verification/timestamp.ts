import { refuse, type Verdict } from './verdict';

/** How a sender writes the time of signing. */
export interface TimestampFormat {
  sender: string;
  /** What the whole header has to be. */
  pattern: RegExp;
  /** For the error text: what was expected. */
  described: string;
  /** @returns unix seconds */
  seconds: (number: number) => number;
}

/** Unix seconds; 12 digits reach the year 33658. */
export const TELNYX_TIMESTAMP: TimestampFormat = {
  sender: 'Telnyx',
  pattern: /^\d{1,12}$/,
  described: 'unix seconds',
  seconds: (number) => number
};

/**
 * Checks a timestamp header. The text stays as it came: it is part of the signed bytes.
 *
 * @param values all values of the header
 * @param receivedAt milliseconds since 1970
 * @param toleranceSeconds how far the sender's clock may be off, in either direction
 * @param format default: as Telnyx writes it
 * @see developers.telnyx.com, "Webhook signing": reject what is older than five minutes
 */
export function checkTimestamp(
  values: readonly string[],
  header: string,
  receivedAt: number,
  toleranceSeconds: number,
  format: TimestampFormat = TELNYX_TIMESTAMP
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
