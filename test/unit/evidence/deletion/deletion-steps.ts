import fc from 'fast-check';

/** What may happen next. */
export type Step =
  | { do: 'store' | 'erase' | 'restore'; file: number }
  | { do: 'hold' | 'release'; file: number; case: number }
  | { do: 'sweep' | 'rebuild' | 'backup' | 'restart' | 'confirm-clock' }
  | { do: 'pass'; hours: number }
  | { do: 'jump'; hours: number }
  /** The process ends after so many writes from now. */
  | { do: 'crash-soon'; writes: number }
  /** The next removals fail. */
  | { do: 'disk-fails'; times: number }
  /** The next removals are refused by the store, some of them half-way. */
  | { do: 'store-locks'; times: number; isHalfWay: boolean }
  /** A delivery that announced a file is repeated. */
  | { do: 'replay'; file: number }
  /** What is stored is to be deleted at the source. */
  | { do: 'delete-at-source'; file: number }
  /** Another Node-RED tells that a file is held. */
  | { do: 'hold-is-told'; file: number; case: number }
  /** A server of files tells a time, by so many hours from that of this machine. */
  | { do: 'server-tells'; hours: number };

const file = fc.integer({ min: 0, max: 1 });
const hours = fc.integer({ min: -3000, max: 3000 });
const others = ['sweep', 'rebuild', 'backup', 'restart', 'confirm-clock'] as const;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('store' as const, 'restore' as const), file }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('erase' as const), file }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('hold' as const, 'release' as const),
        file,
        case: fc.integer({ min: 0, max: 1 })
      })
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...others) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.integer({ min: 1, max: 400 }) })
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('jump' as const), hours })
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('replay' as const, 'delete-at-source' as const),
        file
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('hold-is-told' as const),
        file,
        case: fc.integer({ min: 0, max: 1 })
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('store-locks' as const),
        times: fc.integer({ min: 1, max: 2 }),
        isHalfWay: fc.boolean()
      })
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('server-tells' as const),
        hours: fc.oneof(fc.constant(0), hours)
      })
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('crash-soon' as const), writes: fc.integer({ min: 1, max: 5 }) })
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('disk-fails' as const), times: fc.integer({ min: 1, max: 3 }) })
    }
  ),
  { minLength: 10, maxLength: 60, size: 'max' }
);
