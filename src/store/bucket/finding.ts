import type { Said } from '../../errors/notice';

/** One line of a test of a bucket. */
export interface Finding {
  check: 'reach' | 'list' | 'versions' | 'lock' | 'write' | 'condition' | 'read' | 'parts' | 'delete';
  /** `failed`: recordings cannot be stored like this. `warning`: they can, but the user should know. */
  result: 'ok' | 'warning' | 'failed';
  /** What to do, without secrets. */
  said: readonly Said[];
}
