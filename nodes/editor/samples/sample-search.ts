import type { SampleFamily } from '../../../src/samples/sample-choices';

/** The families and events that have every word of a search in their names or descriptions; families without one go. */
export function foundSamples(families: readonly SampleFamily[], search: string): SampleFamily[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return families.flatMap((family) => {
    const types = family.types.filter(({ type, description, aliases }) => {
      const text = [type, description, family.label, ...aliases].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    });
    return types.length === 0 ? [] : [{ ...family, types }];
  });
}
