import type { Provider } from '../../src/events/provider';
import type { NumberLimits } from '../lib/number-limits';

// The valid settings of a webhook node, shared by the runtime and the dialogs. The first choice is the default.

/** Seconds within which the flow has to answer, if the flow answers. */
export const REPLY_TIMEOUT: NumberLimits = { fallback: 10, min: 0.1, max: 3600, whole: false };

/** Bytes. */
export const MAX_BODY: NumberLimits = { fallback: 1024 * 1024, min: 1, max: 64 * 1024 * 1024 };

/**
 * Seconds by which the time of signing may differ from this clock. Daily repeats a delivery, with its original time,
 * for up to 15 minutes.
 */
export const TOLERANCE = {
  telnyx: { fallback: 300, min: 1, max: 86_400 },
  daily: { fallback: 1800, min: 1, max: 86_400 }
} as const satisfies Record<Provider, NumberLimits>;

/** Days for which deliveries stay in the delivery log. 0: until they are handed over. */
export const KEEP: NumberLimits = { fallback: 7, min: 0, max: 3650 };

export const DEFAULT_PATH = { telnyx: '/telnyx', daily: '/daily' } as const satisfies Record<
  Provider,
  string
>;

export const REPLIES = ['at-once', 'flow'] as const;

export const DUPLICATES = ['drop', 'pass'] as const;
