import { asFields } from '../../values/fields';

/** No probe is longer, white space included; longer bodies need not be parsed to know. */
const LONGEST_PROBE = 256;

/**
 * Whether a parsed body is the request by which Daily tries an address before it creates or
 * re-activates a webhook: exactly `{"test":"test"}`. It is answered 200 and is no event.
 */
export function isDailyProbe(body: unknown): boolean {
  const record = asFields(body);
  return record !== null && Object.keys(record).length === 1 && record['test'] === 'test';
}

/** The same for a body that nobody has parsed yet. Never throws. */
export function isDailyProbeBody(rawBody: Buffer): boolean {
  if (rawBody.length > LONGEST_PROBE) return false;
  try {
    return isDailyProbe(JSON.parse(rawBody.toString('utf8')));
  } catch {
    return false;
  }
}
