import type { ErrorCode } from '../../errors/codes';

/** One line of a test of a bucket. */
export interface Finding {
  check: 'reach' | 'list' | 'versions' | 'lock' | 'write' | 'condition' | 'read' | 'parts' | 'delete';
  /** `failed`: recordings cannot be stored like this. `warning`: they can, but the user should know. */
  result: 'ok' | 'warning' | 'failed';
  /** Says what to do, and contains no secret. */
  text: string;
  /** Of the error that the text comes from. */
  code?: ErrorCode;
}
