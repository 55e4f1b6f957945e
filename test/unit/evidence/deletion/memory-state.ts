import type { StateDatabase } from '../../../../src/state/state-database';

type Part = string | number;

/** The state without a disk: what a crash leaves are the committed changes. */
export class MemoryState {
  readonly #collections = new Map<string, Map<string, { key: Part[]; value: unknown }>>();

  get database(): Pick<StateDatabase, 'collection' | 'commit'> {
    const collection = (name: string): unknown => this.#collection(name);
    return {
      collection: collection as StateDatabase['collection'],
      commit: (changes) => {
        for (const change of changes) change.apply();
        return Promise.resolve();
      }
    };
  }

  #collection(name: string): unknown {
    const known = this.#collections.get(name) ?? new Map<string, { key: Part[]; value: unknown }>();
    this.#collections.set(name, known);
    const range = ({ start, end }: { start?: Part[]; end?: Part[] }): { key: Part[]; value: unknown }[] =>
      [...known.values()]
        .filter(({ key }) => start === undefined || compare(key, start) >= 0)
        .filter(({ key }) => end === undefined || compare(key, end) < 0)
        .sort((one, other) => compare(one.key, other.key));
    return {
      get: (key: Part[]) => known.get(JSON.stringify(key))?.value,
      putting: (key: Part[], value: unknown) => ({
        apply: () => void known.set(JSON.stringify(key), { key, value: structuredClone(value) })
      }),
      removing: (key: Part[]) => ({ apply: () => void known.delete(JSON.stringify(key)) }),
      range,
      keys: (span: { start?: Part[]; end?: Part[] }) => range(span).map(({ key }) => key),
      count: () => known.size
    };
  }
}

function compare(one: Part[], other: Part[]): number {
  for (const [at, part] of one.entries()) {
    const against = other[at];
    if (against === undefined) return 1;
    if (part !== against) return part < against ? -1 : 1;
  }
  return one.length - other.length;
}
