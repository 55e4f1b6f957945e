import type { RecordingReference } from '../recording/recording-reference';
import type { ProviderAccount, ProviderOptions, RecordingProvider } from './provider';
import type { ProviderRegistry } from './registry';

/** What archiving asks the providers for; each recording's own provider is asked. */
export type OpenProviders = Omit<RecordingProvider, 'listRecordings'>;

/** The accounts that are chosen, by the names of their providers; null where none is. */
export type ProviderAccounts = ReadonlyMap<string, ProviderAccount | null>;

/**
 * Opens all providers of a registry as one.
 *
 * @returns functions that need no `this`
 * @throws CodedError `BAD_SETTING` when the API address of an account cannot be used
 */
export function openProviders(
  registry: Pick<ProviderRegistry, 'all' | 'usual'>,
  accounts: ProviderAccounts,
  options: ProviderOptions
): OpenProviders {
  const open = new Map(
    registry.all.map((one) => [one.name, one.open(accounts.get(one.name) ?? null, options)] as const)
  );
  const usual = open.get(registry.usual.name) ?? registry.usual.open(null, options);
  // A job can be of a provider that another version of this package knew; the usual one refuses it.
  const of = ({ details }: RecordingReference): RecordingProvider => open.get(details.provider) ?? usual;
  return {
    authorize: (url) => {
      for (const provider of open.values()) {
        const header = provider.authorize(url);
        if (header !== undefined) return header;
      }
      return undefined;
    },
    resolveLinks: (reference, why, signal) => of(reference).resolveLinks(reference, why, signal),
    completeDetails: (reference, signal) => of(reference).completeDetails(reference, signal),
    fetchTranscript: (reference, signal) => of(reference).fetchTranscript(reference, signal),
    deleteRecording: (reference, signal) => of(reference).deleteRecording(reference, signal),
    close: async () => {
      await Promise.all([...open.values()].map((provider) => provider.close()));
    }
  };
}
