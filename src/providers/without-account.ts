import { CodedError } from '../errors/coded-error';

/** The list of a provider is asked for, and there is no account to ask with. */
export function withoutAccount({ label }: { label: string }): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `No ${label} account is chosen, or the chosen one is missing or disabled. ` +
      'The list is asked for with the API key of an account: choose one in the node.'
  );
}
