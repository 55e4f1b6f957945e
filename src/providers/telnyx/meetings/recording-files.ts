import { CodedError } from '../../../errors/coded-error';
import {
  type MediaLink,
  type MeetingFacts,
  type RecordingReference,
  mediaLink
} from '../../../recording/recording-reference';
import { shownText } from '../../../text/shown-text';
import { type Fields, asFields, asText } from '../../../values/fields';
import type { ApiAccess } from '../../http/json-api';
import { factsOf, ofSession, sessionPath } from './meeting-session';

/** Real sessions have one or two. */
const MOST_FILES = 100;

/** A file of a session, as it is listed now. */
export interface ListedFile {
  /** Its type; the second file of a type has a number behind it. */
  name: string;
  type: string;
  link: MediaLink;
}

/** What Telnyx has of a session. */
export interface SessionFiles {
  files: ListedFile[];
  /** Types of what is listed without a link: it is not ready yet. */
  unready: string[];
}

/**
 * The recordings of a session with links that were made a moment ago.
 *
 * @throws CodedError as `listAll`
 */
export async function listFiles(
  api: Pick<ApiAccess, 'request'>,
  facts: MeetingFacts,
  signal: AbortSignal
): Promise<ListedFile[]> {
  return (await listAll(api, facts, signal)).files;
}

/**
 * Everything that is listed for a session (Telnyx "List meeting recordings").
 *
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` for any other answer
 */
export async function listAll(
  api: Pick<ApiAccess, 'request'>,
  facts: MeetingFacts,
  signal: AbortSignal
): Promise<SessionFiles> {
  const path = sessionPath(facts, ['recordings']);
  const data: unknown = asFields(await api.request({ method: 'GET', path, signal }))?.['data'];
  if (!Array.isArray(data))
    throw new CodedError(
      'LINK_REFUSED',
      'Expected a list of the recordings of a meeting, but the API answered something else. Check the API address in ' +
        'the account.'
    );
  if (data.length > MOST_FILES)
    throw new CodedError(
      'LINK_REFUSED',
      `The API lists ${data.length} recordings of one meeting, and at most ${MOST_FILES} are taken. Check the API address ` +
        'in the account.'
    );
  const files: ListedFile[] = [];
  const unready: string[] = [];
  const items = (data as unknown[]).map((item) => asFields(item) ?? {});
  const typeOf = (item: Fields): string => asText(item['type']) ?? 'recording';
  // A type can look like the second file of another one.
  const taken = new Set(items.map(typeOf));
  const named = new Set<string>();
  for (const item of items) {
    const type = typeOf(item);
    const url = asText(item['url']);
    if (url === null) {
      unready.push(type);
      continue;
    }
    const name = named.has(type) ? freeName(type, taken) : type;
    named.add(type);
    taken.add(name);
    files.push({ name, type, link: { ...mediaLink(url, null), isFleeting: true } });
  }
  return { files, unready };
}

function freeName(type: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${type}-${number}`)) number += 1;
  return `${type}-${number}`;
}

/**
 * One reference for each file that is listed, and for each type that is announced or listed and not ready yet.
 *
 * @throws CodedError a retryable `LINK_REFUSED` when there is none
 */
export function referencesOf(
  whole: RecordingReference,
  { files, unready }: Readonly<SessionFiles>
): RecordingReference[] {
  const awaited = new Set([...factsOf(whole).types, ...unready]);
  const missing = [...awaited].filter((type) => files.every((file) => file.type !== type));
  const found = [
    ...files.map(({ name, link }) => ({ ...ofSession(whole, name), links: [link] })),
    ...missing.map((type) => ofSession(whole, type))
  ];
  if (found.length > 0) return found;
  throw notYet('Telnyx lists no recording of the meeting yet');
}

/** The link of the file that a reference is about. @throws CodedError a retryable `LINK_REFUSED` while it is not listed */
export function fileOf({ details }: RecordingReference, files: readonly ListedFile[]): MediaLink {
  const file = files.find(({ name }) => name === details.track);
  if (file !== undefined) return file.link;
  throw notYet(`Telnyx does not list the recording ${shownText(details.track ?? '')} of the meeting yet`);
}

function notYet(what: string): CodedError {
  return new CodedError('LINK_REFUSED', `${what}; the next attempt waits.`, {
    retryable: true,
    trouble: 'not-there'
  });
}
