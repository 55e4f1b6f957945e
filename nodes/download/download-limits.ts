import type { NumberLimits } from '../lib/number-limits';

/** Files transferred at once. */
export const CONCURRENCY: NumberLimits = { fallback: 4, min: 1, max: 64 };

/** Attempts after the first. */
export const RETRIES: NumberLimits = { fallback: 8, min: 0, max: 100 };

/** Bytes; 0: no limit. */
export const MAX_SIZE: NumberLimits = { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER };

/** Seconds without a byte. */
export const STALL_TIMEOUT: NumberLimits = { fallback: 30, min: 0.1, max: 3600, whole: false };
