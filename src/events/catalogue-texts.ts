import { CATALOGUE, type CatalogueEntry, FAMILIES, type Family } from './catalogue';

/** What the catalogue lists, as people read it. */
export interface ListedEvents {
  readonly entries: readonly CatalogueEntry[];
  readonly families: readonly Family[];
}

/** `families`: family → its name; `telnyx` and `daily`: event type → its description. */
export type CatalogueTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The catalogue as its data files state it. */
export const IN_ENGLISH: ListedEvents = { entries: CATALOGUE, families: FAMILIES };

/** The catalogue with the texts of another language; what is missing stays English. */
export function listedWith(texts: CatalogueTexts): ListedEvents {
  const groups = new Map(
    Object.entries(texts).map(([group, ofGroup]) => [group, new Map(Object.entries(ofGroup))])
  );
  return {
    entries: CATALOGUE.map((entry) => ({
      ...entry,
      description: groups.get(entry.provider)?.get(entry.event_type) ?? entry.description
    })),
    families: FAMILIES.map((family) => ({
      ...family,
      label: groups.get('families')?.get(family.family) ?? family.label
    }))
  };
}
