import type { Filters } from './api-answers';
import type { StandInRecording } from './recording-shelf';

type Field = (recording: StandInRecording) => string | null;

const EQUAL: ReadonlyMap<string, Field> = new Map(
  Object.entries<Field>({
    call_control_id: ({ call }) => call.call_control_id,
    call_leg_id: ({ call }) => call.call_leg_id,
    call_session_id: ({ call }) => call.call_session_id,
    conference_id: ({ conferenceId }) => conferenceId,
    connection_id: ({ call }) => call.connection_id,
    from: ({ call }) => call.from,
    to: ({ call }) => call.to
  })
);

type Time = (recording: StandInRecording) => number;

const TIMES: ReadonlyMap<string, Time> = new Map(
  Object.entries<Time>({
    created_at: ({ createdAt }) => createdAt,
    start_time: ({ startedAt }) => startedAt,
    end_time: ({ startedAt, seconds }) => startedAt + seconds * 1000
  })
);

type Condition = (recording: StandInRecording) => boolean;

/**
 * Reads the filters of `GET /v2/recordings` (docs: "List all call recordings") from its query.
 *
 * @returns the combined condition of all filters, or the name of an unknown parameter
 */
export function readFilters(query: URLSearchParams): Filters<StandInRecording> {
  const conditions: Condition[] = [];
  for (const [name, value] of query) {
    if (!name.startsWith('filter[')) continue;
    const condition = equalCondition(name, value) ?? timeCondition(name, value);
    if (!condition) return { ok: false, parameter: name };
    conditions.push(condition);
  }
  return { ok: true, matches: (recording) => conditions.every((condition) => condition(recording)) };
}

function equalCondition(name: string, value: string): Condition | undefined {
  const field = EQUAL.get(/^filter\[(\w+)\]$/.exec(name)?.[1] ?? '');
  return field && ((recording) => field(recording) === value);
}

function timeCondition(name: string, value: string): Condition | undefined {
  const [, fieldName = '', operator] = /^filter\[(\w+)\]\[(gte|lte)\]$/.exec(name) ?? [];
  const field = TIMES.get(fieldName);
  const limit = Date.parse(value);
  if (!field || Number.isNaN(limit)) return undefined;
  return operator === 'gte'
    ? (recording) => field(recording) >= limit
    : (recording) => field(recording) <= limit;
}
