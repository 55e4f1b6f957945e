import { CATALOGUE, FAMILIES, familyOf, lookUpType, resolveAlias, UNKNOWN_FAMILY } from '../events/catalogue';
import { IN_ENGLISH, type ListedEvents } from '../events/catalogue-texts';
import type { RoutingCatalogue } from './routed-event';

const FAMILY_NAMES = new Set<string>([...FAMILIES.map(({ family }) => family), UNKNOWN_FAMILY]);

/** The catalogue of event types as the rules use it. */
export const EVENT_CATALOGUE: RoutingCatalogue = {
  names: CATALOGUE.flatMap(({ provider, event_type, aliases }) =>
    [event_type, ...aliases].map((name) => ({ provider, name, canonical: resolveAlias(provider, name) }))
  ),
  isFamily: (family) => FAMILY_NAMES.has(family),
  isKnown: (provider, type) => lookUpType(provider, type) !== undefined,
  resolveAlias,
  familyOf
};

/** An event type as the editor offers it. */
export interface EventChoice {
  type: string;
  description: string;
  /** A name that several providers use has them all. */
  providers: string[];
  family: string;
  /** Of the family. */
  label: string;
  /** Other names of the same event. */
  aliases: string[];
}

/** What the editor offers for the rules. */
export interface RuleChoices {
  types: EventChoice[];
  families: { family: string; label: string }[];
}

/**
 * Event types and families to choose from, each name once and in alphabetical order; a name that both
 * providers use has the texts of both.
 */
export function ruleChoices(listed: ListedEvents = IN_ENGLISH): RuleChoices {
  const types = mergeTexts(listed.entries.map(({ event_type, description }) => [event_type, description]));
  const named = mergeTexts(listed.families.map(({ family, label }) => [family, label]));
  return {
    types: types.map(([type, description]) => ({ type, description, ...placeOf(type, listed) })),
    families: named.map(([family, label]) => ({ family, label }))
  };
}

function placeOf(
  type: string,
  { entries: all, families }: ListedEvents
): Omit<EventChoice, 'type' | 'description'> {
  const entries = all.filter(({ event_type }) => event_type === type);
  const [first] = entries;
  const family = first?.family ?? UNKNOWN_FAMILY;
  const label = families.find((one) => one.family === family && one.provider === first?.provider)?.label;
  return {
    providers: [...new Set(entries.map(({ provider }) => provider))],
    family,
    label: label ?? family,
    aliases: [...new Set(entries.flatMap(({ aliases }) => aliases))]
  };
}

function mergeTexts(rows: [name: string, text: string][]): [name: string, text: string][] {
  const texts = new Map<string, Set<string>>();
  for (const [name, text] of rows) texts.set(name, (texts.get(name) ?? new Set()).add(text));
  return [...texts]
    .map(([name, all]): [string, string] => [name, [...all].join(' / ')])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
