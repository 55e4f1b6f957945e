/** Where the API of a provider is when the account names no other place. */
export const DEFAULT_API_URLS = {
  telnyx: 'https://api.telnyx.com/v2',
  daily: 'https://api.daily.co/v1'
} as const;
