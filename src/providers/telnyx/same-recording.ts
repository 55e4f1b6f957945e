import type { RecordingReference } from '../../recording/recording-reference';
import { parseUrl } from '../../values/fields';
import type { ApiMedia } from './api-media';

export type WantedRecording = Pick<RecordingReference, 'details' | 'links'>;

export type Choice =
  | {
      ok: true;
      media: ApiMedia;
      /** How it is known to be the same: the same file, the same time, or only the lack of evidence against it. */
      by: 'file' | 'time' | 'elimination';
    }
  | { ok: false; reason: 'none' | 'ambiguous' };

/** An event and the API may round a time differently. */
const SAME_TIME_MS = 2000;
/** TeXML durations are whole seconds. */
const SAME_DURATION_S = 2;
/** Telnyx's own paths contain the account and the call leg; a shorter one may match by chance. */
const TELLING_PATH = 24;

const IDS = ['call_leg_id', 'call_session_id', 'conference_id', 'connection_id', 'channels'] as const;

/**
 * Picks the recording that an event announced from those of its call. A call can be recorded several
 * times, so none that contradicts the event is picked, and none at all when several are left.
 */
export function chooseRecording(wanted: WantedRecording, candidates: readonly ApiMedia[]): Choice {
  const possible = candidates.filter((candidate) => !contradicts(wanted, candidate));
  const sameFile = possible.filter((candidate) => sharesFile(wanted, candidate));
  const [file] = sameFile;
  if (file !== undefined && sameFile.length === 1) return { ok: true, media: file, by: 'file' };

  const timed = possible.filter((candidate) => times(wanted, candidate).some((same) => same === true));
  const left = narrowed(wanted, timed.length > 0 ? timed : possible);
  const [only] = left;
  if (only === undefined) return { ok: false, reason: 'none' };
  if (left.length > 1) return { ok: false, reason: 'ambiguous' };
  return { ok: true, media: only, by: timed.length > 0 ? 'time' : 'elimination' };
}

function contradicts(wanted: WantedRecording, candidate: ApiMedia): boolean {
  const mine = wanted.details;
  const { details: theirs } = candidate;
  for (const name of IDS) if (differ(mine[name], theirs[name])) return true;
  const known = times(wanted, candidate).filter((same) => same !== null);
  if (known.length > 0) return known.includes(false);
  const [own, other] = [mine.duration_seconds, theirs.duration_seconds ?? null];
  return own !== null && other !== null && Math.abs(own - other) > SAME_DURATION_S;
}

function differ(mine: string | null, theirs: string | null | undefined): boolean {
  return mine !== null && theirs !== null && theirs !== undefined && mine !== theirs;
}

/** Whether start and end are the same; null: not known on both sides. */
function times({ details }: WantedRecording, candidate: ApiMedia): (boolean | null)[] {
  return (['started_at', 'ended_at'] as const).map((name) => {
    const distance = Date.parse(details[name] ?? '') - Date.parse(candidate.details[name] ?? '');
    return Number.isNaN(distance) ? null : Math.abs(distance) <= SAME_TIME_MS;
  });
}

/** A dead link and its fresh one differ only in the signature. */
function sharesFile(wanted: WantedRecording, candidate: ApiMedia): boolean {
  const mine = new Set(wanted.links.map(({ url }) => pathOf(url)));
  return candidate.links.some(({ url }) => {
    const path = pathOf(url);
    return path.length >= TELLING_PATH && mine.has(path);
  });
}

function pathOf(url: string): string {
  return parseUrl(url)?.pathname ?? '';
}

/** Chooses among equally plausible candidates: recordings of the same call at the same time. */
function narrowed(wanted: WantedRecording, candidates: ApiMedia[]): ApiMedia[] {
  const { details, links } = wanted;
  const formats = new Set([details.format, ...links.map((link) => link.format)]);
  const traits: ((candidate: ApiMedia) => boolean)[] = [
    (one) => (one.details.conference_id ?? null) === details.conference_id,
    (one) => details.channels !== null && one.details.channels === details.channels,
    (one) => one.links.some(({ format }) => format !== null && formats.has(format)),
    (one) => Math.abs((one.details.duration_seconds ?? NaN) - (details.duration_seconds ?? NaN)) <= 1
  ];
  return traits.reduce((left, has) => {
    const rest = left.length > 1 ? left.filter(has) : left;
    return rest.length > 0 ? rest : left;
  }, candidates);
}
