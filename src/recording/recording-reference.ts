import { createHash } from 'node:crypto';
import type { SampleFile } from '../samples/sample-file';
import { asText, losslessText, parseUrl } from '../values/fields';
import type { RecordingDetails } from './recording-details';

/** One address of a recording in one format. `url` is a secret: signed links open the file. */
export interface MediaLink {
  /** `mp3`, `wav`, …; null when the event does not say. */
  format: string | null;
  url: string;
  /** SHA-256 (hex) that the sender announced, or null. */
  sha256: string | null;
  /** Size in bytes that the sender announced, or null. */
  size: number | null;
  /** It may die at any moment and needs no key: it is not kept for another attempt, and no key is sent to it. */
  isFleeting?: true;
  /** The file itself, in place of an address; `url` is then blank. */
  content?: TextContent;
  /** A file of this package, in place of an address; `url` is then blank. Never read from an event. */
  sample?: SampleFile;
}

/** A file that an event contains, or that is made from what an API says. */
export interface TextContent {
  text: string;
  contentType: string;
}

/**
 * What kind of media to expect; decides which content types and first bytes are accepted. A `text` may have its
 * content in its links.
 */
export type MediaKind = 'audio' | 'video' | 'fax' | 'attachment' | 'track' | 'text';

/**
 * The kind of resource in the provider's API. The recordings API seems to know a `texml-recording` too;
 * `message` is an attachment, for which the API makes no links.
 */
export type ApiResource =
  | 'recording'
  | 'texml-recording'
  | 'fax'
  | 'room-recording'
  | 'room-composition'
  | 'message'
  | MeetingResource;

/** What a meeting session leaves; each is asked for by the session. */
export type MeetingResource = 'meeting-recording' | 'meeting-transcript' | 'meeting-artifact';

/** What an event says of a meeting session, beyond the details of its recording. */
export interface MeetingFacts {
  session_id: string;
  /** The types of recordings that it announces. */
  types: string[];
  /** The last segment of the transcript, and how many there are; null when it does not say. */
  last_seq: number | null;
  segment_count: number | null;
  artifact_id: string | null;
}

/** Which of the texts it is that Daily makes of a call. */
export interface TextOutput {
  what: 'transcript' | 'batch-job' | 'side-file';
  /** The id of the transcript, of the job, or of the recording. */
  of: string;
  /** As Daily calls it: `transcription`, `summary`, `event-json`, …; blank for a whole job. */
  name: string;
  /** `vtt`, `json`, …; null when only its bytes show it. */
  format: string | null;
  /** How many files are deleted along with it, itself included. Left out when that is unknown. */
  total?: number;
  /** Those that the event of a job lists. */
  listed?: ListedOutput[];
}

/** An output that an event lists. */
export interface ListedOutput extends Pick<TextOutput, 'name' | 'format'> {
  /** Object key in the customer's own bucket, or null. */
  key: string | null;
}

/**
 * One recording (or fax, attachment, track) that an event announces: what is known of it and where
 * to get its bytes. `links` is empty when only the provider's API knows the address.
 */
export interface RecordingReference {
  kind: MediaKind;
  /** Identity for "the same recording twice is one file": provider + id, else provider + address without its signature. */
  identity: string;
  details: RecordingDetails;
  links: MediaLink[];
  /** Position among the files of one event, from 0 (attachments, tracks); null when there is only one. */
  media_index: number | null;
  /** ISO 8601 UTC; when the event happened, else when it arrived. Names the file when `started_at` is unknown. */
  announced_at: string | null;
  /** Object key in the customer's own bucket (Daily `s3_key`, track keys), or null. */
  storage_key: string | null;
  /** The kind of id that `details.recording_id` is for the API; absent if unknown. */
  resource?: ApiResource;
  /** TeXML `AccountSid`: part of the TeXML API's addresses. */
  account_sid?: string;
  /** Id of the text of the recording, when an event announced that. */
  transcription_id?: string;
  meeting?: MeetingFacts;
  /** It stands for files that only the API can name: each becomes a reference of its own in each run. */
  isCollection?: boolean;
  output?: TextOutput;
  /** It is that of a sample: no provider knows it. */
  sample?: true;
}

/**
 * What the provider deletes in one request: all files with the same key go together.
 *
 * @returns null for an address that a flow set itself: tomorrow it may lead to another recording
 */
export function deletionKey({
  kind,
  identity,
  details,
  output
}: Pick<RecordingReference, 'kind' | 'identity' | 'details' | 'output'>): string | null {
  const { provider, recording_id, event_type } = details;
  // A job and a transcript may have the id of a recording.
  if (output !== undefined && output.what !== 'side-file') return `${provider}\n${output.what}\n${output.of}`;
  // The texts of a meeting have the id of its recording, which is deleted without them.
  if (kind === 'text' && output === undefined) return `${provider}\n${identity}`;
  if (recording_id !== null) return `${provider}\n${recording_id}`;
  return event_type === null ? null : `${provider}\n${identity}`;
}

export const FORMAT_CHOICES = ['any', 'mp3', 'wav', 'all'] as const;

/** The setting `format` of the download node. */
export type FormatChoice = (typeof FORMAT_CHOICES)[number];

/** One file to store and the addresses of its bytes, best first. */
export interface WantedFile {
  /** Null if only the bytes show it. */
  format: string | null;
  links: MediaLink[];
}

/**
 * Decides which files of a recording are stored. The choice concerns only audio; a fax, an attachment, a
 * video or a track has one form only and is always wanted. An address that does not show its format is
 * wanted whatever was chosen: leaving it out could lose the only copy.
 *
 * @returns empty when the recording is unavailable in the chosen format
 */
export function chooseFormat(
  reference: Pick<RecordingReference, 'kind' | 'links'>,
  choice: FormatChoice
): WantedFile[] {
  const groups = groupByFormat(reference.links);
  const known = groups.filter((group) => group.format !== null);
  const unknown = groups.filter((group) => group.format === null);
  const pick = (format: string): WantedFile[] => known.filter((group) => group.format === format);

  if (reference.kind !== 'audio' || choice === 'all') return known.length > 0 ? known : unknown;
  if (choice === 'any') return [...pick('mp3'), ...pick('wav'), ...known, ...unknown].slice(0, 1);
  return [...pick(choice), ...unknown].slice(0, 1);
}

function groupByFormat(links: readonly MediaLink[]): WantedFile[] {
  const groups = new Map<string | null, Map<string, MediaLink>>();
  for (const link of links) {
    const group = groups.get(link.format) ?? new Map<string, MediaLink>();
    groups.set(link.format, group);
    if (!group.has(link.url)) group.set(link.url, link);
  }
  return [...groups].map(([format, byUrl]) => ({ format, links: [...byUrl.values()] }));
}

const AZURE_HOST =
  /^https?:\/\/[^/?#]{1,254}\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)[/:]/i;

/** Whether an address names a place in a customer's own storage ("custom storage" of Telnyx): S3, Google or Azure. */
export function isStoragePlace(url: string): boolean {
  return /^(s3|gs):/i.test(url) || AZURE_HOST.test(url);
}

const KNOWN_EXTENSIONS = new Set(['mp3', 'wav', 'mp4', 'webm', 'ogg', 'm4a', 'pdf']);

/** A link without details about its bytes. */
export function mediaLink(url: string, format: string | null): MediaLink {
  return { format, url, sha256: null, size: null };
}

/**
 * @param value a map key, MIME subtype or file ending from outside
 * @returns it in lower case when it can be a file ending, else null
 */
export function asFormat(value: unknown): string | null {
  const text = asText(value)?.toLowerCase();
  return text !== undefined && /^[a-z0-9]{1,8}$/.test(text) ? text : null;
}

/** The format that an address shows by its ending. Only a hint: the bytes decide. */
export function formatOfUrl(url: string): string | null {
  const path = /^[^?#]*/.exec(url)?.[0] ?? '';
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase();
  return ending !== undefined && KNOWN_EXTENSIONS.has(ending) ? ending : null;
}

/** Query parameters that sign a link or say how to serve it; they differ each time a link is made. */
const SIGNING_PARAMETER =
  /^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|expires|signature|key-pair-id|policy|response-.*|se|sig|sv|sp|sr|st|spr|ske|skt|sks|skv|skoid|sktid)$/i;

/**
 * Identity of a recording that has an id.
 *
 * @param part distinguishes the files of one recording (track key), or null
 */
export function identityOfId(provider: string, recordingId: string, part: string | null = null): string {
  const recording = `${provider}:${withoutPartMark(recordingId)}`;
  return part === null ? recording : `${recording}#${part}`;
}

/**
 * Identity of a file of a meeting session.
 *
 * @param part type of a recording, id of an artifact, or `transcript`; null: all of the session
 */
export function identityOfMeeting(provider: string, sessionId: string, part: string | null): string {
  const session = `${provider}:meeting:${withoutColons(sessionId)}`;
  return part === null ? session : `${session}:${withoutColons(part)}`;
}

/** The part that an identity of the session was made with, escaped; null when there is none. */
export function partOfMeeting(identity: string, provider: string, sessionId: string): string | null {
  const session = `${identityOfMeeting(provider, sessionId, null)}:`;
  return identity.startsWith(session) ? identity.slice(session.length) : null;
}

/** A colon separates the parts of such an identity. */
function withoutColons(text: string): string {
  return text.replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll('#', '%23');
}

/** The part that an identity was made with; null when it is that of a whole recording, or of another one. */
export function partOfIdentity(identity: string, provider: string, recordingId: string): string | null {
  const whole = `${identityOfId(provider, recordingId)}#`;
  return identity.startsWith(whole) ? identity.slice(whole.length) : null;
}

/**
 * A `#` begins the part. Ids that contain one are escaped, or the recording `a#b` would look like the track `b`
 * of the recording `a`. All others stay unchanged.
 */
function withoutPartMark(recordingId: string): string {
  if (!recordingId.includes('#')) return recordingId;
  return `#${recordingId.replaceAll('%', '%25').replaceAll('#', '%23')}`;
}

/**
 * Identity of a recording that has only an address: the address without its query. What remains of
 * the query after removing signatures still counts (`?id=1` and `?id=2` are two recordings), but only
 * as a hash: an identity may be stored and logged, a query may not.
 */
export function identityOfUrl(provider: string, url: string): string {
  const parsed = parseUrl(url);
  if (parsed === null) return `${provider}:${hash(url)}`;
  const rest = [...parsed.searchParams].filter(([name]) => !SIGNING_PARAMETER.test(name));
  const address = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return rest.length === 0
    ? `${provider}:${address}`
    : `${provider}:${address}#${hash(JSON.stringify(sorted(rest)))}`;
}

function sorted(parameters: [string, string][]): [string, string][] {
  return parameters
    .map((parameter) => ({ parameter, text: parameter.join('=') }))
    .sort((left, right) => (left.text < right.text ? -1 : 1))
    .map(({ parameter }) => parameter);
}

function hash(text: string): string {
  return createHash('sha256').update(losslessText(text)).digest('hex').slice(0, 24);
}
