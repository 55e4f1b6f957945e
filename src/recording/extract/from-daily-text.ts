import { type Fields, asCount, asFields, asText, firstText, isChangedText } from '../../values/fields';
import { readTime } from '../../values/time';
import type { ListedState, ListedTranscripts } from '../origin';
import type { RecordingDetails } from '../recording-details';
import {
  type ListedOutput,
  type RecordingReference,
  type TextOutput,
  asFormat
} from '../recording-reference';
import { type Announcement, unknownDetails } from './announcement';

/** More than any job has; the rest of such an event is not read. */
const MOST_OUTPUTS = 100;

/** What Daily's names of outputs mean; all other outputs are called by their own name. */
const TRACKS: ReadonlyMap<string, string> = new Map([
  ['transcription', 'transcript'],
  ['event-json', 'events'],
  ['transcript-webvtt', 'transcript'],
  ['chat-webvtt', 'chat']
]);

/** The formats that Daily documents for its side files. */
const SIDE_FORMATS: ReadonlyMap<string, string> = new Map([
  ['event-json', 'json'],
  ['transcript-webvtt', 'vtt'],
  ['chat-webvtt', 'vtt']
]);

/**
 * Daily `transcript.ready-to-download` and `batch-processor.job-finished` (docs.daily.co, webhook events). Neither
 * has a link, and the second need not list all files of the job.
 */
export function fromDailyText(announcement: Announcement): RecordingReference[] {
  const { payload } = announcement;
  const id = asText(payload['id']);
  const status = asText(payload['status'])?.toLowerCase();
  if (id === null) return [];
  if (status === 't_finished') return [transcriptOf(announcement, id)];
  const isJob = asText(payload['preset']) !== null || asFields(payload['output']) !== null;
  return status === 'finished' && isJob ? [batchJobOf(announcement, id)] : [];
}

function transcriptOf(announcement: Announcement, id: string): RecordingReference {
  const { payload } = announcement;
  const out = asFields(payload['out_params']) ?? asFields(payload['outParams']);
  const place = asFields(out?.['s3']) ?? out ?? {};
  return {
    kind: 'text',
    identity: transcriptIdentity(id),
    details: {
      ...unknownDetails(announcement),
      recording_id: id,
      format: 'vtt',
      track: 'transcript',
      duration_seconds: asCount(payload['duration']),
      room_name: asText(payload['room_name']),
      mtg_session_id: firstText(payload, 'mtg_session_id', 'mtgSessionId')
    },
    links: [],
    media_index: null,
    announced_at: announcement.announced_at,
    storage_key: firstText(place, 'key', 's3key', 's3Key'),
    output: { what: 'transcript', of: id, name: 'transcript', format: 'vtt' }
  };
}

function batchJobOf(announcement: Announcement, id: string): RecordingReference {
  const { payload } = announcement;
  return {
    kind: 'text',
    identity: `daily:batch:${escaped(id)}`,
    details: {
      ...unknownDetails(announcement),
      recording_id: asText(asFields(payload['input'])?.['recordingId']) ?? id
    },
    links: [],
    media_index: null,
    announced_at: announcement.announced_at,
    storage_key: null,
    output: { what: 'batch-job', of: id, name: '', format: null, listed: listedOutputs(payload['output']) },
    isCollection: true
  };
}

/** `output.<name>` is one file or a list of them, each with `format` and `s3Config.key`. */
function listedOutputs(output: unknown): ListedOutput[] {
  const found: ListedOutput[] = [];
  for (const [name, value] of Object.entries(asFields(output) ?? {})) {
    const files: unknown[] = Array.isArray(value) ? value : [value];
    for (const file of files.slice(0, MOST_OUTPUTS)) {
      const fields = asFields(file);
      if (fields === null || found.length === MOST_OUTPUTS) continue;
      const place = asFields(fields['s3Config']);
      const key = place === null ? null : firstText(place, 'key', 's3key', 's3Key');
      found.push({ name: outputName(name), format: asFormat(fields['format']), key });
    }
  }
  return distinct(found);
}

type Named = Pick<ListedOutput, 'name' | 'format'>;

/**
 * Numbers files of the same name and format, so that none is taken for another.
 *
 * @param keyOf what tells two of them apart
 */
export function distinct<Output extends Named>(
  outputs: Output[],
  keyOf: (output: Named) => string = ({ name, format }) => `${name}\n${format ?? ''}`
): Output[] {
  // A name can look like a numbered one.
  const taken = new Set(outputs.map(keyOf));
  const seen = new Set<string>();
  return outputs.map((output) => {
    const key = keyOf(output);
    if (!seen.has(key)) {
      seen.add(key);
      return output;
    }
    const numbered = (number: number): Output => ({ ...output, name: `${output.name}-${number}` });
    let number = 2;
    while (taken.has(keyOf(numbered(number)))) number += 1;
    taken.add(keyOf(numbered(number)));
    return numbered(number);
  });
}

/** A name from outside, in a form that can be part of an identity and a file name. */
export function outputName(name: string): string {
  const plain = name
    .slice(0, 40)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '_');
  return plain === '' ? 'output' : plain;
}

/**
 * A file of a batch job.
 *
 * @param job as the event announced it
 * @param total how many files the job has
 */
export function batchOutput(
  job: RecordingReference,
  { name, format, key }: ListedOutput,
  total: number
): RecordingReference {
  const of = job.output?.of ?? '';
  const reference: RecordingReference = {
    ...job,
    identity: `daily:batch:${escaped(of)}:${name}:${format ?? ''}`,
    details: { ...job.details, format, track: trackOf(name) },
    storage_key: key,
    output: { what: 'batch-job', of, name, format, total }
  };
  delete reference.isCollection;
  return reference;
}

/**
 * A side file of a recording.
 *
 * @param recording what is known of it; without the file itself
 * @param name as Daily calls it, such as `event-json`
 */
export function sideFile(
  recording: Pick<RecordingReference, 'details' | 'announced_at'>,
  name: string,
  key: string | null
): RecordingReference {
  const { details, announced_at } = recording;
  const of = details.recording_id ?? '';
  const plain = outputName(name);
  const format = SIDE_FORMATS.get(plain) ?? null;
  return {
    kind: 'text',
    identity: `daily:side-file:${escaped(of)}:${plain}`,
    details: { ...details, format, track: trackOf(plain), transcription: null },
    links: [],
    media_index: null,
    announced_at,
    storage_key: key,
    output: { what: 'side-file', of, name: plain, format }
  };
}

/** @param name which may have a number from `distinct` */
function trackOf(name: string): string {
  const dash = name.lastIndexOf('-');
  const isNumbered = dash !== -1 && !TRACKS.has(name) && /^\d{1,3}$/.test(name.slice(dash + 1));
  const plain = isNumbered ? name.slice(0, dash) : name;
  return (TRACKS.get(plain) ?? plain) + name.slice(plain.length);
}

function transcriptIdentity(id: string): string {
  return `daily:transcript:${escaped(id)}`;
}

/** `:` separates the parts of these identities. */
function escaped(id: string): string {
  return id.replaceAll('%', '%25').replaceAll(':', '%3A');
}

function unescaped(id: string): string {
  return id.replaceAll('%3A', ':').replaceAll('%25', '%');
}

/**
 * What else is known of a stored text by its identity, so that it can be fetched again.
 *
 * @returns null for any other recording of Daily
 */
export function restoredByDaily(identity: string): Partial<RecordingReference> | null {
  const [, what, id = '', name = '', format = ''] = identity.split(':', 5);
  const of = unescaped(id);
  const text = (output: TextOutput): Partial<RecordingReference> => ({
    kind: 'text',
    storage_key: null,
    output
  });
  if (what === 'transcript') return text({ what, of, name: what, format: 'vtt' });
  // Nothing shows whether the others of the job are stored, so it has no total and is not deleted.
  if (what === 'batch') return text({ what: 'batch-job', of, name, format: asFormat(format) });
  return what === 'side-file' ? text({ what, of, name, format: SIDE_FORMATS.get(name) ?? null }) : null;
}

/** The items of Daily's `GET /transcript`. */
export const transcriptsListedByDaily: ListedTranscripts = {
  idOf: (item) => firstText(item, 'transcriptId', 'id'),

  fromListed: (item) => {
    const id = firstText(item, 'transcriptId', 'id');
    if (id === null || isChangedText(id)) return [];
    const details: Omit<Announcement, 'payload'> = {
      provider: 'daily',
      event_type: null,
      event_id: null,
      announced_at: readTime(item['created_at'])
    };
    return [transcriptOf({ ...details, payload: item }, id)];
  },

  stateOf: (item): ListedState => {
    const status = asText(item['status'])?.toLowerCase() ?? '';
    if (status === 't_in_progress') return 'not-ready';
    const isLost = status === 't_error' || status === 't_failed' || status === 't_deleted';
    // A finished one without text has no file.
    return isLost || item['isVttAvailable'] === false ? 'without-file' : 'ready';
  }
};

/** As the API describes a recording: the id of its meeting session, in any of its spellings. */
export function sessionOf(fields: Fields): RecordingDetails['mtg_session_id'] {
  return firstText(fields, 'mtgSessionId', 'mtg_session_id');
}
