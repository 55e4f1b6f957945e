import { asRecord } from './read-field';

/**
 * Whether a parsed body is the request by which Daily tries an address before it creates or
 * re-activates a webhook: exactly `{"test":"test"}`. It is answered 200 and is no event.
 */
export function isDailyProbe(body: unknown): boolean {
  const record = asRecord(body);
  return record !== undefined && Object.keys(record).length === 1 && record.test === 'test';
}
