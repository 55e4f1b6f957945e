import { PROVIDERS } from '../../src/events/provider';

// The valid settings of the delivery list, shared by the runtime and the dialog. The first choice is the default.

/** Where deliveries are looked up. */
export const SOURCES = ['log', 'telnyx'] as const;

export const DEFAULT_FROM = '24h';

/** Which deliveries from Telnyx's log are included. */
export const OUTCOMES = ['any', 'failed'] as const;

/** Whose deliveries from our own log are sent again. */
export const SENDERS = ['any', ...PROVIDERS] as const;
