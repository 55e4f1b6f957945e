import { familyOf, lookUpType } from './catalogue';
import type { ParsedEvent } from './event';
import type { Provider } from './provider';
import type { BodyReading } from './reading/body-reading';

/** Joins what a body says with what the catalogue knows of its type. */
export function completeEvent(provider: Provider, reading: BodyReading, body: unknown): ParsedEvent {
  const { event_type, payload, ...fields } = reading;
  const entry = lookUpType(provider, event_type);
  return {
    provider,
    event_type,
    canonical_type: entry?.canonical_type ?? event_type,
    family: entry?.family ?? familyOf(provider, event_type),
    known: entry !== undefined,
    ...fields,
    body,
    payload
  };
}
