import { sha256, wav } from '../../test/support/media';
import { seededNumbers } from '../../test/support/seeded-numbers';

/** What a source does wrong at first; `slow` and `long` take their time and are right. */
export type SourceFault = 'cut' | 'error' | 'length' | 'slow' | 'long';

const FAULTS: readonly SourceFault[] = ['cut', 'error', 'length', 'slow'];

export interface PlannedRecording {
  /** Of the recording and of its event. */
  id: string;
  /** Of its file: no two are equal. */
  seconds: number;
  seed: number;
  fault: SourceFault | null;
}

/** Which receiver nginx asks first. */
export type Route = 'any' | 'first' | 'second';

export type PlannedRequest =
  | { kind: 'genuine' | 'duplicate'; recording: PlannedRecording; route: Route }
  | { kind: 'forged'; recording: PlannedRecording; route: Route };

export interface PlanOptions {
  /** The beginning of all ids. */
  name: string;
  recordings: number;
  seed: number;
  /** Parts of 1, of all recordings. */
  duplicates?: number;
  forged?: number;
  faulty?: number;
  /** Those whose transfer takes seconds, so that a kill meets it. */
  long?: number;
}

export interface Plan {
  /** In the order in which they are sent. */
  requests: readonly PlannedRequest[];
  recordings: readonly PlannedRecording[];
  /** Ids that nobody may accept. */
  forged: ReadonlySet<string>;
}

/** The furthest that a duplicate comes behind its original. */
const LATEST_DUPLICATE = 200;

/** The same plan for the same options. */
export function planOf(options: PlanOptions): Plan {
  const { name, recordings, seed, duplicates = 0.1, forged = 0.05, faulty = 0.05, long = 0 } = options;
  const numbers = seededNumbers(seed);
  const next = (): number => numbers.next().value;
  const requests: (readonly [at: number, request: PlannedRequest])[] = [];
  const all: PlannedRecording[] = [];
  const strange = new Set<string>();
  let number = 0;
  const make = (kind: string, at: number, fault: SourceFault | null): PlannedRecording => {
    number += 1;
    return {
      id: `${name}-${kind}-${at}`,
      seconds: 1 + Math.floor(next() * 3),
      seed: seed * 100_000 + number,
      fault
    };
  };
  const isDuplicated = someOf(recordings, duplicates, next);
  const isForged = someOf(recordings, forged, next);
  const isFaulty = someOf(recordings, faulty, next);
  for (let at = 0; at < recordings; at += 1) {
    const fault = isFaulty.has(at)
      ? FAULTS[Math.floor(next() * FAULTS.length)]!
      : next() < long
        ? 'long'
        : null;
    const recording = make('r', at, fault);
    all.push(recording);
    if (isDuplicated.has(at)) {
      const route = next() < 0.5 ? 'first' : 'second';
      // Half of them at the same moment, half of them later.
      const later = next() < 0.5 ? 0.1 : 1 + Math.floor(next() * LATEST_DUPLICATE);
      requests.push([at, { kind: 'genuine', recording, route }]);
      requests.push([
        at + later,
        { kind: 'duplicate', recording, route: route === 'first' ? 'second' : 'first' }
      ]);
    } else requests.push([at, { kind: 'genuine', recording, route: 'any' }]);
    if (isForged.has(at)) {
      const other = make('forged', at, null);
      strange.add(other.id);
      requests.push([at + 0.5, { kind: 'forged', recording: other, route: 'any' }]);
    }
  }
  requests.sort(([a], [b]) => a - b);
  return { requests: requests.map(([, request]) => request), recordings: all, forged: strange };
}

/** Exactly this part of the numbers below `count`. */
function someOf(count: number, part: number, next: () => number): Set<number> {
  const wanted = Math.round(count * part);
  const chosen = new Set<number>();
  while (chosen.size < wanted) chosen.add(Math.floor(next() * count));
  return chosen;
}

/** The file of a recording. */
export function bytesOf({ seconds, seed }: Pick<PlannedRecording, 'seconds' | 'seed'>): Buffer {
  return wav({ seconds, seed });
}

/** The hash of a recording's file, in hex. */
export function hashOf(recording: PlannedRecording): string {
  return sha256(bytesOf(recording));
}

/** @param storage the origin of the files */
export function linkOf({ id, seconds, seed, fault }: PlannedRecording, storage: string): string {
  return `${storage}/${id}?seconds=${seconds}&seed=${seed}&fault=${fault ?? ''}`;
}
