import type { FilterDialect } from '../list-filter';

/** Daily "List recordings": plain parameters. */
export const dailyFilters: FilterDialect = {
  // The list asks by its place in it.
  own: ['limit', 'starting_after', 'ending_before'],
  parameter: (name) => name,
  hasOperators: false
};
