/** The providers whose webhooks the catalogue describes, the usual one first. */
export const PROVIDERS = ['telnyx', 'daily'] as const;

/** The sender of an event. Its recordings have a provider of the same name; see `src/providers/registry.ts`. */
export type Provider = (typeof PROVIDERS)[number];
