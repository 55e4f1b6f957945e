import { CodedError } from '../../errors/coded-error';
import { type Period, daysOf } from './period';
import { RecordingSet } from './recording-set';

/** What a source knows of a recording. */
export interface KnownRecording {
  /** As `recordingName` gives it: the same in all sources. It is shown. */
  recording: string;
  /** Hashes of the identities under which it may have been stored, deleted or given up. */
  identities: readonly string[];
  /** As the provider says; `ready` where a source cannot tell. */
  state: 'ready' | 'not-ready' | 'without-file';
}

/** A few recordings of a source. */
export interface SourceBatch {
  recordings: readonly KnownRecording[];
  /** Code of an error: something may be missing from what this source told. */
  gap: string | null;
}

/** Something that knows recordings: the provider's list, its detail records, accepted deliveries, the index. */
export interface DaySource {
  /** `list`, `deliveries`, … */
  name: string;
  /**
   * The recordings of a day, by the time of the recording itself, whenever the source heard of it.
   *
   * @throws what kept it from telling all of them
   */
  read: (day: Period, signal: AbortSignal) => AsyncIterable<SourceBatch>;
}

/** What became of a recording; `unknown`: nothing is known. */
export type Fate = 'stored' | 'deleted' | 'erased' | 'given-up' | 'unknown';

/** listed + only_elsewhere = the sum of all others. */
export interface RecordingCounts {
  /** In the provider's list. */
  listed: number;
  /** Known from other sources only. */
  only_elsewhere: number;
  stored: number;
  /** Stored, and deleted when its time was over. */
  deleted: number;
  /** Stored, and deleted on request. */
  erased: number;
  not_ready: number;
  without_file: number;
  given_up: number;
  unexplained: number;
}

export interface DayCounts extends RecordingCounts {
  day: string;
}

/** A recording that is named in a certificate. */
export interface NamedRecording {
  day: string;
  recording: string;
  source: string;
}

/** A source that did not tell everything of a day. */
export interface IncompleteSource {
  source: string;
  day: string;
  /** Codes of errors. */
  reasons: readonly string[];
}

export interface CountedPeriod {
  totals: RecordingCounts;
  days: readonly DayCounts[];
  incomplete: readonly IncompleteSource[];
  unexplained: readonly NamedRecording[];
  givenUp: readonly NamedRecording[];
}

/** Recordings that are named for each reason; the others are counted. */
export const MOST_NAMED = 1000;

/** Reasons that are kept for one source and day. */
const MOST_REASONS = 5;

export interface CountParts {
  /** The provider's list; null: there is none. */
  list: DaySource | null;
  others: readonly DaySource[];
  fateOf: (recording: KnownRecording) => Promise<Fate>;
  signal: AbortSignal;
}

/**
 * Counts what the sources know of a period, each recording once: where the list has it, as listed. Keeps no recordings in
 * memory, only 128 bits of each.
 *
 * @throws as `fateOf` does; `signal.reason`
 */
export async function countRecordings(
  period: Period,
  { list, others, fateOf, signal }: CountParts
): Promise<CountedPeriod> {
  const days = daysOf(period);
  const counts = new Map(days.map((day) => [day.name, { day: day.name, ...noRecordings() }]));
  const totals = noRecordings();
  const seen = new RecordingSet();
  const incomplete: IncompleteSource[] = [];
  const unexplained: NamedRecording[] = [];
  const givenUp: NamedRecording[] = [];

  const count = async (known: KnownRecording, source: DaySource, day: DayCounts): Promise<void> => {
    if (!seen.add(known.recording)) return;
    const kind = kindOf(await fateOf(known), known.state);
    for (const each of [day, totals]) {
      each[source === list ? 'listed' : 'only_elsewhere'] += 1;
      each[kind] += 1;
    }
    const named = kind === 'unexplained' ? unexplained : kind === 'given_up' ? givenUp : null;
    if (named !== null && named.length < MOST_NAMED)
      named.push({ day: day.day, recording: known.recording, source: source.name });
  };

  // The whole list first: what it has is never counted as known from elsewhere, on whichever day that was.
  for (const source of [...(list === null ? [] : [list]), ...others])
    for (const span of days) {
      const day = counts.get(span.name);
      if (day === undefined) continue;
      const reasons = new Set<string>();
      for await (const batch of toldBy(source, span, signal)) {
        if (batch.gap !== null && reasons.size < MOST_REASONS) reasons.add(batch.gap);
        for (const known of batch.recordings) await count(known, source, day);
      }
      if (reasons.size > 0) incomplete.push({ source: source.name, day: day.day, reasons: [...reasons] });
    }
  return { totals, days: [...counts.values()], incomplete, unexplained, givenUp };
}

/** As the source; what it throws becomes a gap. @throws `signal.reason` */
async function* toldBy(source: DaySource, day: Period, signal: AbortSignal): AsyncIterable<SourceBatch> {
  signal.throwIfAborted();
  try {
    yield* source.read(day, signal);
  } catch (error) {
    signal.throwIfAborted();
    yield { recordings: [], gap: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : 'LIST_INCOMPLETE';
}

function kindOf(
  fate: Fate,
  state: KnownRecording['state']
): Exclude<keyof RecordingCounts, 'listed' | 'only_elsewhere'> {
  if (fate === 'given-up') return 'given_up';
  if (fate !== 'unknown') return fate;
  if (state === 'not-ready') return 'not_ready';
  return state === 'without-file' ? 'without_file' : 'unexplained';
}

function noRecordings(): RecordingCounts {
  return {
    ...{ listed: 0, only_elsewhere: 0, stored: 0, deleted: 0, erased: 0 },
    ...{ not_ready: 0, without_file: 0, given_up: 0, unexplained: 0 }
  };
}
