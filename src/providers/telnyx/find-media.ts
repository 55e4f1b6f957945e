import { CodedError } from '../../errors/coded-error';
import type { ApiResource, MeetingResource, RecordingReference } from '../../recording/recording-reference';
import { asFields } from '../../values/fields';
import { idSegment } from '../http/api-address';
import type { ApiAccess } from '../http/json-api';
import { type ApiMedia, type KnownResource, readApiMedia } from './api-media';
import { type Choice, chooseRecording } from './same-recording';

/** What must be known of a recording, fax, … to ask the API for it. */
export type Askable = Pick<RecordingReference, 'kind' | 'details' | 'links' | 'resource' | 'account_sid'>;

type Asked = Pick<ApiAccess, 'request'>;

export interface FoundMedia {
  media: ApiMedia;
  /** `id`: the event named it; the others as in `Choice`. */
  by: 'id' | Extract<Choice, { ok: true }>['by'];
}

const PAGE_SIZE = 250;
/** No real call has more recordings than this. */
const MOST_PAGES = 8;

/** A conference's recording would be mistaken for one of its legs, so the conference comes first. */
const FILTERS = ['conference_id', 'call_leg_id', 'call_control_id', 'call_session_id'] as const;

const COLLECTIONS = {
  recording: 'recordings',
  'texml-recording': 'recordings',
  fax: 'faxes',
  'room-recording': 'room_recordings',
  'room-composition': 'room_compositions'
} as const satisfies Record<KnownResource, string>;

/** The path of a resource with an id in the API. */
export function resourcePath(resource: KnownResource, id: string): string[] {
  return [COLLECTIONS[resource], idSegment(id)];
}

/** The path of a recording in the TeXML API, or null when the event does not name its account. */
export function texmlPath({ account_sid, details }: Askable): string[] | null {
  const { recording_id } = details;
  if (account_sid === undefined || recording_id === null) return null;
  return ['texml', 'Accounts', idSegment(account_sid), 'Recordings', `${idSegment(recording_id)}.json`];
}

/** The kind of resource in the API; references that flows made do not say. */
export function resourceOf({ kind, resource }: Askable): KnownResource | 'message' {
  if (resource !== undefined && !isOfMeeting(resource)) return resource;
  if (kind === 'attachment') return 'message';
  return kind === 'fax' ? 'fax' : kind === 'video' ? 'room-recording' : 'recording';
}

function isOfMeeting(resource: ApiResource): resource is MeetingResource {
  return resource.startsWith('meeting-');
}

/**
 * Asks the API about a resource: by its id, else among the recordings of its call.
 *
 * @throws CodedError as `TelnyxApi.request`; `API_NOT_FOUND` when the API does not know it, `NO_RECORDING`
 *   when the event does not say enough to find it, or to choose among several
 */
export async function findMedia(api: Asked, wanted: Askable, signal: AbortSignal): Promise<FoundMedia> {
  const resource = resourceOf(wanted);
  const id = wanted.details.recording_id;
  if (resource !== 'message' && id !== null)
    return { media: await mediaById(api, wanted, { resource, id }, signal), by: 'id' };
  if (resource === 'recording' || resource === 'texml-recording') return amongCall(api, wanted, signal);
  throw new CodedError(
    'NO_RECORDING',
    'The event does not name the recording, so the API cannot be asked for it.'
  );
}

async function mediaById(
  api: Asked,
  wanted: Askable,
  { resource, id }: { resource: KnownResource; id: string },
  signal: AbortSignal
): Promise<ApiMedia> {
  try {
    const answer = await api.request({ method: 'GET', path: resourcePath(resource, id), signal });
    // The recordings API answers with its own field names, even when TeXML gave the id.
    const read = resource === 'texml-recording' ? 'recording' : resource;
    return checked(readApiMedia(read, asFields(answer)?.['data']), id);
  } catch (error) {
    const elsewhere = resource === 'texml-recording' && isFinal(error) ? texmlPath(wanted) : null;
    if (elsewhere === null) throw error;
    const answer = await api.request({ method: 'GET', path: elsewhere, signal });
    return checked(readApiMedia('texml-recording', asFields(answer)?.['data'] ?? answer), id);
  }
}

/** The recordings API rejects a RecordingSid that is not its id as unknown or as malformed. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof CodedError &&
    !error.retryable &&
    (error.code === 'API_NOT_FOUND' || error.code === 'LINK_REFUSED')
  );
}

function checked(media: ApiMedia | null, id: string): ApiMedia {
  if (media !== null && (media.id === null || media.id === id)) return media;
  throw new CodedError(
    'LINK_REFUSED',
    media === null
      ? 'The API answered without the recording that was asked for. Check the API address in the account.'
      : 'The API answered with a different recording from the one requested; it was not used.'
  );
}

async function amongCall(api: Asked, wanted: Askable, signal: AbortSignal): Promise<FoundMedia> {
  let refusal: CodedError | undefined;
  for (const name of FILTERS) {
    const value = wanted.details[name];
    if (value === null) continue;
    const listed = await list(api, name, value, signal);
    // A server that does not know a filter ignores it and lists everything.
    const ofCall = listed.filter((media) => media.details[name] === value);
    const choice = chooseRecording(wanted, ofCall);
    if (choice.ok) return { media: choice.media, by: choice.by };
    if (choice.reason === 'ambiguous') throw ambiguous(ofCall.length, name);
    refusal ??= notListed(ofCall.length, name);
  }
  throw (
    refusal ??
    new CodedError(
      'NO_RECORDING',
      'The event names neither a recording nor a call or conference, so the API cannot be asked for it. ' +
        'Set msg.recording_id, or send an event that has an id.'
    )
  );
}

async function list(api: Asked, name: string, value: string, signal: AbortSignal): Promise<ApiMedia[]> {
  const found: ApiMedia[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const query = {
      [`filter[${name}]`]: value,
      'page[number]': String(page),
      'page[size]': String(PAGE_SIZE)
    };
    const answer = asFields(await api.request({ method: 'GET', path: ['recordings'], query, signal }));
    const data: unknown = answer?.['data'];
    const items: unknown[] = Array.isArray(data) ? data : [];
    found.push(...items.flatMap((item) => readApiMedia('recording', item) ?? []));
    const pages = Number(asFields(answer?.['meta'])?.['total_pages'] ?? 1);
    if (items.length === 0 || !(page < pages)) break;
  }
  return found;
}

function notListed(count: number, name: string): CodedError {
  return new CodedError(
    'API_NOT_FOUND',
    count === 0
      ? `The API lists no recording with the ${name} of the event: it was deleted, or the API key belongs to another account.`
      : `The API lists ${count} recording(s) with the ${name} of the event, but none with its times and channels; none was taken.`
  );
}

function ambiguous(count: number, name: string): CodedError {
  return new CodedError(
    'NO_RECORDING',
    `The API lists ${count} recordings with the ${name} of the event, and nothing tells which one is meant; none was taken. ` +
      'Set msg.recording_id to the id of the right one.'
  );
}
