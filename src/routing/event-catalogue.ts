import { CATALOGUE, FAMILIES, familyOf, lookUpType, resolveAlias, UNKNOWN_FAMILY } from '../events/catalogue';
import type { RoutingCatalogue } from './routed-event';

const families = new Set<string>([...FAMILIES.map(({ family }) => family), UNKNOWN_FAMILY]);

/** The catalogue of event types as the rules use it. */
export const EVENT_CATALOGUE: RoutingCatalogue = {
  names: CATALOGUE.flatMap(({ provider, event_type, aliases }) =>
    [event_type, ...aliases].map((name) => ({ provider, name, canonical: resolveAlias(provider, name) }))
  ),
  isFamily: (family) => families.has(family),
  isKnown: (provider, type) => lookUpType(provider, type) !== undefined,
  resolveAlias,
  familyOf
};

/** What the editor offers for the rules. */
export interface RuleChoices {
  types: { type: string; description: string }[];
  families: { family: string; label: string }[];
}

/**
 * Event types and families to choose from, each name once and in alphabetical order; a name that both
 * providers use has the texts of both.
 */
export function ruleChoices(): RuleChoices {
  const types = mergeTexts(CATALOGUE.map(({ event_type, description }) => [event_type, description]));
  const named = mergeTexts(FAMILIES.map(({ family, label }) => [family, label]));
  return {
    types: types.map(([type, description]) => ({ type, description })),
    families: named.map(([family, label]) => ({ family, label }))
  };
}

function mergeTexts(rows: [name: string, text: string][]): [name: string, text: string][] {
  const texts = new Map<string, Set<string>>();
  for (const [name, text] of rows) texts.set(name, (texts.get(name) ?? new Set()).add(text));
  return [...texts]
    .map(([name, all]): [string, string] => [name, [...all].join(' / ')])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
