import type { FamilyGroup } from '../events/catalogue/catalogue-entry';

/** The event types of a list of families. The compiler demands a recipe for each. */
export type TypeIn<Groups extends readonly FamilyGroup[]> = Groups[number]['types'][number]['event_type'];
