import { PROVIDERS, type Provider } from '../events/provider';

/** The input of the rules. */
export interface RoutedEvent {
  provider: Provider;
  /** The name on the wire. */
  event_type: string;
  /** The same name with aliases and v1 names resolved. */
  canonical_type: string;
  family: string;
  /** Whether the catalogue lists the type. */
  known: boolean;
}

/** What routing needs from the catalogue of event types. */
export interface RoutingCatalogue {
  /** Every name an event can be called by, aliases included, with the name it resolves to. */
  readonly names: Iterable<{ provider: Provider; name: string; canonical: string }>;
  isFamily(family: string): boolean;
  isKnown(provider: Provider, type: string): boolean;
  resolveAlias(provider: Provider, type: string): string;
  familyOf(provider: Provider, type: string): string;
}

/**
 * Completes a message's data about its event from the catalogue.
 *
 * @param type the event type read from the user's property; anything but a non-empty string means no event
 * @param told `msg.event` when it describes exactly that type, else undefined; its fields win
 * @param provider who sent the event, if the message says so; otherwise the first provider that knows the type,
 *   Telnyx before Daily
 * @returns null when the message is not about an event: then only an `else` rule can match
 */
export function describeEvent(
  type: unknown,
  told: Partial<Record<keyof RoutedEvent, unknown>> | undefined,
  provider: unknown,
  catalogue: RoutingCatalogue
): RoutedEvent | null {
  if (typeof type !== 'string' || type === '') return null;
  const sender = isProvider(provider) ? provider : guessProvider(type, catalogue);
  const text = (value: unknown, otherwise: () => string): string =>
    typeof value === 'string' ? value : otherwise();
  return {
    provider: sender,
    event_type: type,
    canonical_type: text(told?.canonical_type, () => catalogue.resolveAlias(sender, type)),
    family: text(told?.family, () => catalogue.familyOf(sender, type)),
    known: typeof told?.known === 'boolean' ? told.known : catalogue.isKnown(sender, type)
  };
}

function isProvider(value: unknown): value is Provider {
  return PROVIDERS.some((provider) => provider === value);
}

function guessProvider(type: string, catalogue: RoutingCatalogue): Provider {
  return PROVIDERS.find((provider) => catalogue.isKnown(provider, type)) ?? PROVIDERS[0];
}
