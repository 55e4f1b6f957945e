/** Those whose webhooks the catalogue describes, the usual one first. */
export const PROVIDERS = ['telnyx', 'daily'] as const;

/** Who sent an event. Its recordings have a provider by the same name; see `src/providers/registry.ts`. */
export type Provider = (typeof PROVIDERS)[number];
