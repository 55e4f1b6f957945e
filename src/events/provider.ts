/** For code about one provider in a room that no provider owns, such as the stand-ins. Nothing else compares them. */
export const TELNYX = 'telnyx';
export const DAILY = 'daily';

/** The providers whose webhooks the catalogue describes, the usual one first. */
export const PROVIDERS = [TELNYX, DAILY] as const;

/** The sender of an event. Its recordings have a provider of the same name; see `src/providers/registry.ts`. */
export type Provider = (typeof PROVIDERS)[number];
