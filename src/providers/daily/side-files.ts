import { CodedError } from '../../errors/coded-error';
import { distinct, outputName, sideFile } from '../../recording/extract/from-daily-text';
import type { RecordingReference } from '../../recording/recording-reference';
import { asFields, asText, firstText } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { SideFiles } from '../provider';
import { type DailyLinkResolverOptions, asLink, isFinalRefusal } from './access-link';
import { type LinkedOutput, linkedOutputs } from './batch-outputs';
import type { DailyApi } from './daily-client';

/** Daily names no time; its documentation says to ask again for some minutes. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** Its key is documented, those of the other side files are not. */
const KEYED = 'event-json';

/**
 * Until when side files of a recording (Daily "dataOutputs") may still come: an hour after it was announced, or for
 * one that no event announced, after its end.
 *
 * @param now for a recording without any time. Milliseconds since 1970
 * @returns milliseconds since 1970; null for what has no side files
 */
export function sideFilesUntil(
  { kind, details, announced_at }: Pick<RecordingReference, 'kind' | 'details' | 'announced_at'>,
  now: number
): number | null {
  if (kind === 'text' || details.recording_id === null) return null;
  const end = Date.parse(details.started_at ?? '') + (details.duration_seconds ?? 0) * 1000;
  const times = [details.event_type === null ? NaN : Date.parse(announced_at ?? ''), end, now];
  return (times.find((time) => !Number.isNaN(time)) ?? now) + LONGEST_WAIT_MS;
}

/**
 * The links of the side files that are there, by Daily's names (Daily "Get recording access link", `data_outputs`).
 * The form of a value is not documented: a link, or an object with one.
 *
 * @throws CodedError as `JsonApi.request`
 */
export async function sideLinks(api: DailyApi, id: string, signal: AbortSignal): Promise<LinkedOutput[]> {
  const path = ['recordings', idSegment(id), 'access-link'];
  const answer = asFields(await api.request({ method: 'GET', path, signal }));
  // Their names alone identify them.
  return distinct(linkedOutputs({ data_outputs: answer?.['data_outputs'] }, true), ({ name }) => name);
}

/**
 * Looks for the side files of a recording. The recording object lists those that were requested, the access link
 * has those that are there.
 *
 * @throws CodedError as `JsonApi.request`; `API_NOT_FOUND` when the recording is gone
 */
export async function findSideFiles(
  { api, bucket }: DailyLinkResolverOptions,
  recording: RecordingReference,
  signal: AbortSignal
): Promise<SideFiles> {
  const id = recording.details.recording_id ?? '';
  if (api?.hasKey !== true) return { ready: [], missing: [], isComplete: true };
  const path = ['recordings', idSegment(id)];
  const described = asFields(await api.request({ method: 'GET', path, signal }));
  const listed = described?.['data_outputs'];
  const wanted = namesIn(listed);
  const isNone = listed !== undefined && wanted.length === 0;
  if (isNone) return { ready: [], missing: [], isComplete: true };
  let linked: LinkedOutput[] = [];
  let isRefused = false;
  try {
    linked = await sideLinks(api, id, signal);
  } catch (error) {
    // Daily links neither to raw tracks nor to a bucket that it may not read.
    const isUnknown = error instanceof CodedError && error.code === 'API_NOT_FOUND';
    if (!isUnknown && !isFinalRefusal(error)) throw error;
    isRefused = true;
  }
  const there = linked.filter(({ link }) => asLink(link) !== null).map(({ name }) => name);
  const key = described === null ? null : firstText(described, 's3key', 's3_key', 's3Key');
  const isInBucket = isRefused && bucket !== null && key !== null && wanted.includes(KEYED);
  const names = isInBucket ? [KEYED] : there;
  const missing = wanted.filter((name) => !names.includes(name));
  const keyOf = (name: string): string | null =>
    name === KEYED && key !== null ? `${key}.event.json` : null;
  return {
    ready: names.map((name) => sideFile(recording, name, keyOf(name))),
    missing,
    isComplete: wanted.length > 0 && missing.length === 0
  };
}

/** A list of names, a list of objects with a `type`, or an object by names. */
function namesIn(listed: unknown): string[] {
  const entries: unknown[] = Array.isArray(listed)
    ? listed.slice(0, 100)
    : Object.keys(asFields(listed) ?? {});
  const names = entries.map((entry) => asText(entry) ?? asText(asFields(entry)?.['type']));
  return [...new Set(names.flatMap((name) => (name === null ? [] : [outputName(name)])))];
}
