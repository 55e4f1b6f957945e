import type { NumberLimits } from '../lib/number-limits';

// The valid settings of the download node, shared by the runtime and the dialog. The first choice is the default.

/** Concurrent transfers. */
export const CONCURRENCY: NumberLimits = { fallback: 4, min: 1, max: 64 };

/** Attempts after the first. */
export const RETRIES: NumberLimits = { fallback: 8, min: 0, max: 100 };

/** Bytes; 0: no limit. */
export const MAX_SIZE: NumberLimits = { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER };

/** Seconds without a byte. */
export const STALL_TIMEOUT: NumberLimits = { fallback: 30, min: 0.1, max: 3600, whole: false };

export const DESTINATIONS = ['folder', 'bucket', 'message'] as const;

export const FORMATS = ['any', 'mp3', 'wav', 'all'] as const;

/** When the node answers `msg.res`. */
export const ANSWERS = ['never', 'queued', 'stored'] as const;

export const NETWORKS = ['public-https', 'any'] as const;
