import { dailyFilters, dailyTranscriptFilters } from '../../src/providers/daily/list-filters';
import type { FilterDialect } from '../../src/providers/list-filter';
import { telnyxFilters, telnyxTranscriptFilters } from '../../src/providers/telnyx/list-filters';

/** The properties of a node that name its accounts. */
export interface AccountChoices {
  account?: string;
  dailyAccount?: string;
}

export interface AccountChoice {
  /** The name of the provider, as in `src/providers/registry.ts`. */
  provider: string;
  property: keyof AccountChoices;
  /** Its name in dialogs, in ids and keys of texts. */
  key: string;
  /** How the provider's lists are filtered. */
  filters: FilterDialect;
  /** How its lists of transcripts are filtered; left out when it has none. */
  transcriptFilters?: FilterDialect;
}

export const USUAL_CHOICE: AccountChoice = {
  provider: 'telnyx',
  property: 'account',
  key: 'account',
  filters: telnyxFilters,
  transcriptFilters: telnyxTranscriptFilters
};

/** Which property of a node names the account of each provider. Also part of the editor, so it imports nothing large. */
export const ACCOUNT_CHOICES: readonly AccountChoice[] = [
  USUAL_CHOICE,
  {
    provider: 'daily',
    property: 'dailyAccount',
    key: 'daily-account',
    filters: dailyFilters,
    transcriptFilters: dailyTranscriptFilters
  }
];

/** @returns the choice of a provider; the usual one for an unknown name */
export function choiceOf(provider: unknown): AccountChoice {
  return ACCOUNT_CHOICES.find((one) => one.provider === provider) ?? USUAL_CHOICE;
}
