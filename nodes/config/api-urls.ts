/** The API address of each provider, unless the account names another. */
export const DEFAULT_API_URLS = {
  telnyx: 'https://api.telnyx.com/v2',
  daily: 'https://api.daily.co/v1'
} as const;
