import type { CatalogueEntry, FamilyGroup, TypeRow } from './catalogue/catalogue-entry';
import { DAILY_GROUPS } from './catalogue/daily';
import { TELNYX_AI_GROUPS } from './catalogue/telnyx-ai';
import { TELNYX_CALL_GROUPS } from './catalogue/telnyx-call';
import { EMAIL } from './catalogue/telnyx-email';
import { TELNYX_LEGACY_GROUPS } from './catalogue/telnyx-legacy';
import { TELNYX_MESSAGING_GROUPS } from './catalogue/telnyx-messaging';
import { TELNYX_NUMBERS_GROUPS } from './catalogue/telnyx-numbers';
import { TELNYX_RECORDING_GROUPS } from './catalogue/telnyx-recording';
import { TELNYX_TEXML_CALL_GROUPS } from './catalogue/telnyx-texml-call';
import { TELNYX_TEXML_MEDIA_GROUPS } from './catalogue/telnyx-texml-media';
import { PROVIDERS, type Provider } from './provider';

export type { CatalogueEntry, MediaCarried } from './catalogue/catalogue-entry';

/** Every family with its types, as the data files state them, in the order of the table in docs/events.md. */
export const FAMILY_GROUPS = [
  ...TELNYX_CALL_GROUPS,
  ...TELNYX_RECORDING_GROUPS,
  ...TELNYX_AI_GROUPS,
  ...TELNYX_MESSAGING_GROUPS,
  EMAIL,
  ...TELNYX_NUMBERS_GROUPS,
  ...TELNYX_TEXML_CALL_GROUPS,
  ...TELNYX_TEXML_MEDIA_GROUPS,
  ...TELNYX_LEGACY_GROUPS,
  ...DAILY_GROUPS
] as const satisfies readonly FamilyGroup[];

const GROUPS: readonly FamilyGroup[] = FAMILY_GROUPS;

/** A family as the editor offers it. Two providers may use the same name. */
export interface Family {
  readonly provider: Provider;
  readonly family: string;
  readonly label: string;
}

/** The family of types that match no row and no prefix. */
export const UNKNOWN_FAMILY = 'unknown';

function namesOf(group: FamilyGroup, row: TypeRow): string[] {
  const canonical = row.canonical ?? row.event_type;
  const others = GROUPS.filter((other) => other.provider === group.provider)
    .flatMap((other) => other.types)
    .filter((other) => other.event_type === canonical || other.canonical === canonical)
    .flatMap((other) => [other.event_type, ...(other.aliases ?? [])]);
  return others.filter((name) => name !== row.event_type);
}

/** Every event type of all providers. */
export const CATALOGUE: readonly CatalogueEntry[] = GROUPS.flatMap((group) =>
  group.types.map((row) => ({
    event_type: row.event_type,
    provider: group.provider,
    family: group.family,
    shapes: row.shapes ?? group.shapes,
    discriminator: row.discriminator ?? null,
    canonical_type: row.canonical ?? row.event_type,
    aliases: namesOf(group, row),
    media: row.media ?? null,
    answer: row.answer ?? null,
    description: row.description,
    verified: row.verified ?? true
  }))
);

/** Every family of all providers. */
export const FAMILIES: readonly Family[] = GROUPS.map(({ provider, family, label }) => ({
  provider,
  family,
  label
}));

const BY_NAME: ReadonlyMap<Provider, ReadonlyMap<string, CatalogueEntry>> = new Map(
  PROVIDERS.map((provider) => [provider, namesToEntries(provider)])
);

function namesToEntries(provider: Provider): ReadonlyMap<string, CatalogueEntry> {
  const entries = CATALOGUE.filter((entry) => entry.provider === provider);
  const byName = new Map(entries.map((entry) => [entry.event_type, entry]));
  // A row's own name takes precedence over the same word as an alias.
  for (const entry of entries) {
    for (const alias of entry.aliases) if (!byName.has(alias)) byName.set(alias, entry);
  }
  return byName;
}

const PREFIXES = GROUPS.flatMap((group) =>
  group.prefixes.map((prefix) => ({ prefix, provider: group.provider, family: group.family }))
).sort((a, b) => b.prefix.length - a.prefix.length);

/** The catalogue's entry for a type or for one of its aliases; undefined when it lists neither. */
export function lookUpType(provider: Provider, type: string): CatalogueEntry | undefined {
  return BY_NAME.get(provider)?.get(type);
}

/**
 * The canonical name of a type: aliases and API v1 names are resolved, every other name, known or
 * not, stays as it is.
 */
export function resolveAlias(provider: Provider, type: string): string {
  return lookUpType(provider, type)?.canonical_type ?? type;
}

/**
 * The family of a type. A type that the catalogue does not list gets the family whose prefix it
 * starts with, so that `call.recording.<something new>` still counts as a recording event.
 */
export function familyOf(provider: Provider, type: string): string {
  const listed = lookUpType(provider, type);
  if (listed !== undefined) return listed.family;
  const match = PREFIXES.find((row) => row.provider === provider && type.startsWith(row.prefix));
  return match?.family ?? UNKNOWN_FAMILY;
}

/** Every other name of the same event (v1 names, names of command pages, older names). */
export function aliasesOf(provider: Provider, type: string): readonly string[] {
  const entry = lookUpType(provider, type);
  if (entry === undefined) return [];
  return [entry.event_type, ...entry.aliases].filter((name) => name !== type);
}

type Row = (typeof FAMILY_GROUPS)[number]['types'][number];
type RowOf<P extends Provider> = Extract<(typeof FAMILY_GROUPS)[number], { provider: P }>['types'][number];

/** Every event type that the catalogue lists. */
export type EventType = Row['event_type'];
/** Event types of Telnyx. */
export type TelnyxEventType = RowOf<'telnyx'>['event_type'];
/** Event types of Daily. */
export type DailyEventType = RowOf<'daily'>['event_type'];
/** Other names under which a listed event is known. */
export type EventAlias = Extract<Row, { aliases: readonly string[] }>['aliases'][number];
/** Families of all providers. */
export type EventFamily = (typeof FAMILY_GROUPS)[number]['family'];
