import type { FilterDialect } from '../list-filter';

/** Telnyx "List all call recordings": `filter[name]` and `filter[name][gte]`. */
export const telnyxFilters: FilterDialect = {
  // The list asks by the time of creation.
  own: ['created_at'],
  parameter: (name) => `filter[${name}]`,
  hasOperators: true
};
