import { PROVIDERS } from '../../src/events/provider';

// What the settings of the delivery list may be. The runtime and the dialog read it here; the first choice is the default.

/** Where deliveries are looked up. */
export const SOURCES = ['log', 'telnyx'] as const;

export const DEFAULT_FROM = '24h';

/** Which deliveries of Telnyx's log are taken. */
export const OUTCOMES = ['any', 'failed'] as const;

/** Whose deliveries of the own log are sent again. */
export const SENDERS = ['any', ...PROVIDERS] as const;
