// What the editor learns of the keys of accounts: whether there are any, never what they are.

/** Below the admin root. */
export const KNOWN_KEYS_PATH = '/telnyx-account/known-keys';

/** Where an account may have its keys. */
export interface KeyPlaces {
  /** The type of the account. */
  type: string;
  credentials: readonly string[];
  /** Environment variables that count when the fields are blank. */
  variables: readonly string[];
}

export const TELNYX_KEYS: KeyPlaces = {
  type: 'telnyx-account',
  credentials: ['apiKey', 'meetingSecrets', 'legacySecrets'],
  variables: ['TELNYX_PUBLIC_KEY', 'TELNYX_API_KEY']
};

export const DAILY_KEYS: KeyPlaces = {
  type: 'daily-account',
  credentials: ['hmac', 'apiKey'],
  variables: ['DAILY_HMAC_SECRET', 'DAILY_API_KEY']
};

export interface KnownKeys {
  /** Which environment variables are set. */
  variables: Record<string, boolean>;
  /** Which deployed accounts have at least one key among their credentials, by id. */
  accounts: Record<string, boolean>;
}

/** The names of environment variables that one question may be about. */
export const MOST_VARIABLES = 20;
export const VARIABLE_NAME = /^[A-Za-z_]\w{0,99}$/;
