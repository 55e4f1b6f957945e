import type { CodedError } from '../errors/coded-error';
import type { Fields } from '../values/fields';

/** Some recordings as a provider lists them. No recording is in two batches of a list. */
export interface ListedBatch {
  items: readonly Fields[];
  /** Why recordings may be missing from this batch; null when it is whole. */
  gap: CodedError | null;
  /** Everything up to this time was listed; null when the list is not in the order of time. Milliseconds since 1970. */
  through: number | null;
}
