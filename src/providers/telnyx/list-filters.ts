import type { FilterDialect } from '../list-filter';

/** Telnyx "List all call recordings": `filter[name]` and `filter[name][gte]`. */
export const telnyxFilters: FilterDialect = {
  // The list filters by the time of creation itself.
  own: ['created_at'],
  parameter: (name) => `filter[${name}]`,
  hasOperators: true
};

/** Telnyx "List all recording transcriptions". */
export const telnyxTranscriptFilters: FilterDialect = { ...telnyxFilters, known: ['recording_id'] };
