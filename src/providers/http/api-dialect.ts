/** The meaning of an API's error code, whatever the status. */
export type ErrorMeaning = 'processing' | 'unauthorized' | 'not-found' | 'rate-limited' | 'passing';

/** What is specific to one provider's API. */
export interface ApiDialect {
  provider: string;
  defaultUrl: string;
  /** Where a user finds the API key, for error texts. */
  keyPlace: string;
  /** Code and short text of the error that a body describes; null where it does not. All untrusted. */
  readError: (body: unknown) => { code: string | null; title: string | null };
  /** Error codes that say more than the status. */
  meanings: Readonly<Record<string, ErrorMeaning>>;
}
