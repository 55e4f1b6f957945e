import type { RecordingOrigins } from '../recording/origin';
import type { RecordingReference } from '../recording/recording-reference';
import { dailyProvider } from './daily/daily-provider';
import type {
  ProviderAccount,
  ProviderDefinition,
  ProviderOptions,
  RecordingProvider,
  SideFiles
} from './provider';
import { telnyxProvider } from './telnyx/telnyx-provider';

/** The providers by their names. */
export class ProviderRegistry implements RecordingOrigins {
  readonly usual: ProviderDefinition;
  readonly #known: ReadonlyMap<unknown, ProviderDefinition>;

  /** @param usual the provider of messages that name none */
  constructor(usual: ProviderDefinition, ...others: readonly ProviderDefinition[]) {
    this.usual = usual;
    this.#known = new Map([usual, ...others].map((definition) => [definition.name, definition]));
  }

  get all(): readonly ProviderDefinition[] {
    return [...this.#known.values()];
  }

  /** In the order in which they are registered. */
  get names(): readonly [string, ...string[]] {
    const [, ...others] = this.all;
    return [this.usual.name, ...others.map(({ name }) => name)];
  }

  find(name: unknown): ProviderDefinition | undefined {
    return this.#known.get(name);
  }
}

/** To add a provider: a folder beside this file that exports a `ProviderDefinition`, and its name here. */
export const providers = new ProviderRegistry(telnyxProvider, dailyProvider);

/** What archiving needs of the providers; each recording's own provider is asked. */
export type OpenProviders = Required<Omit<RecordingProvider, 'listRecordings' | 'listTranscripts'>>;

/** What is asked about a recording. */
type AskedProvider = Omit<RecordingProvider, 'listRecordings' | 'authorize' | 'close'>;

/** Samples are known to no provider. */
const NOBODY: AskedProvider = {
  resolveLinks: () => Promise.resolve([]),
  completeDetails: ({ details }) => Promise.resolve(details),
  fetchTranscript: () => Promise.resolve(null),
  deleteRecording: () =>
    Promise.resolve({ ok: false, message: 'It is that of a sample, which no provider has.' })
};

const NO_SIDE_FILES: SideFiles = { ready: [], missing: [], isComplete: true };

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
  // A job may belong to a provider that only another version of this package knows; the usual one refuses it.
  const of = ({ details, sample }: RecordingReference): AskedProvider =>
    sample === true ? NOBODY : (open.get(details.provider) ?? usual);
  return {
    authorize: (url) => {
      for (const provider of open.values()) {
        const header = provider.authorize?.(url);
        if (header !== undefined) return header;
      }
      return undefined;
    },
    resolveLinks: (reference, why, signal) => of(reference).resolveLinks(reference, why, signal),
    expand: async (reference, isLast, signal) =>
      (await of(reference).expand?.(reference, isLast, signal)) ?? [],
    completeDetails: (reference, signal) => of(reference).completeDetails(reference, signal),
    fetchTranscript: (reference, signal) => of(reference).fetchTranscript(reference, signal),
    deleteRecording: (reference, signal, stored) => of(reference).deleteRecording(reference, signal, stored),
    sideFilesUntil: (reference, now) => of(reference).sideFilesUntil?.(reference, now) ?? null,
    findSideFiles: async (reference, signal) =>
      (await of(reference).findSideFiles?.(reference, signal)) ?? NO_SIDE_FILES,
    close: async () => {
      await Promise.all([...open.values()].map((provider) => provider.close()));
    }
  };
}
