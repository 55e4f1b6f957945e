export const PROVIDERS = ['telnyx', 'daily'] as const;

/** Who sent the event, and whose API serves its recordings. */
export type Provider = (typeof PROVIDERS)[number];
