import type { RecordingOrigins } from '../recording/origin';
import { dailyProvider } from './daily/daily-provider';
import type { ProviderDefinition } from './provider';
import { telnyxProvider } from './telnyx/telnyx-provider';

/** The providers by their names. */
export class ProviderRegistry implements RecordingOrigins {
  readonly usual: ProviderDefinition;
  readonly #known: ReadonlyMap<unknown, ProviderDefinition>;

  /** @param usual is meant where a message names no provider */
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
