import type { FilterDialect } from '../list-filter';

/** Daily "List recordings": plain parameters. */
export const dailyFilters: FilterDialect = {
  // The list sets its page size and position itself.
  own: ['limit', 'starting_after', 'ending_before'],
  parameter: (name) => name,
  hasOperators: false
};

/** Daily "List transcripts". */
export const dailyTranscriptFilters: FilterDialect = { ...dailyFilters, known: ['roomId', 'mtgSessionId'] };
