import { CodedError } from '../../../errors/coded-error';
import {
  type MediaLink,
  type MeetingFacts,
  type RecordingReference,
  mediaLink
} from '../../../recording/recording-reference';
import { shownText } from '../../../text/shown-text';
import { asFields, asText } from '../../../values/fields';
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

/**
 * The recordings of a session with links that were made a moment ago (Telnyx "List meeting recordings").
 *
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` for any other answer
 */
export async function listFiles(
  api: Pick<ApiAccess, 'request'>,
  facts: MeetingFacts,
  signal: AbortSignal
): Promise<ListedFile[]> {
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
  for (const item of data as unknown[]) {
    const fields = asFields(item) ?? {};
    const url = asText(fields['url']);
    // One that is not ready has none yet.
    if (url === null) continue;
    const type = asText(fields['type']) ?? 'recording';
    const before = files.filter((file) => file.type === type).length;
    const name = before === 0 ? type : `${type}-${before + 1}`;
    files.push({ name, type, link: { ...mediaLink(url, null), isFleeting: true } });
  }
  return files;
}

/**
 * One reference for each file that is listed, and for each type that is announced and not listed yet.
 *
 * @throws CodedError a retryable `LINK_REFUSED` when there is none
 */
export function referencesOf(whole: RecordingReference, files: readonly ListedFile[]): RecordingReference[] {
  const missing = factsOf(whole).types.filter((type) => files.every((file) => file.type !== type));
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
