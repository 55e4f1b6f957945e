import { CodedError } from '../../../errors/coded-error';
import type { RecordingDetails } from '../../../recording/recording-details';
import {
  type MeetingFacts,
  type RecordingReference,
  identityOfMeeting
} from '../../../recording/recording-reference';
import { type Fields, asFields, asText, parseUrl } from '../../../values/fields';
import { readTime } from '../../../values/time';
import { idSegment } from '../../http/api-address';
import type { ApiAccess } from '../../http/json-api';

/** @throws CodedError `NO_RECORDING` for a reference that an event or an index of another version made */
export function factsOf({ meeting }: Pick<RecordingReference, 'meeting'>): MeetingFacts {
  if (meeting !== undefined) return meeting;
  throw new CodedError(
    'NO_RECORDING',
    'The message does not name the session of the meeting. Send its event again.'
  );
}

/** The path of a session, or of something of it. @throws CodedError `NO_RECORDING` when an id is none */
export function sessionPath({ session_id }: MeetingFacts, below: readonly string[] = []): string[] {
  return ['meeting_sessions', ...[session_id, ...below].map(idSegment)];
}

/**
 * What the API says of a session (Telnyx "Get a meeting session"), or of something of it.
 *
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` for any other answer
 */
export async function sessionData(
  api: Pick<ApiAccess, 'request'>,
  facts: MeetingFacts,
  signal: AbortSignal,
  below: readonly string[] = []
): Promise<Fields> {
  const answer = await api.request({ method: 'GET', path: sessionPath(facts, below), signal });
  const data = asFields(asFields(answer)?.['data']);
  if (data !== null) return data;
  throw new CodedError(
    'LINK_REFUSED',
    'The API answered without the meeting session that was asked for. Check the API address in the account.'
  );
}

/**
 * Fills in what the session tells: when the bot joined and the session ended, the address of the meeting without its
 * query, which may hold its password, and the name of the bot, which records.
 */
export function withSession(details: RecordingDetails, session: Fields | null): RecordingDetails {
  if (session === null) return details;
  return {
    ...details,
    started_at: details.started_at ?? readTime(session['joined_at']),
    ended_at: details.ended_at ?? readTime(session['ended_at']),
    room_name: details.room_name ?? meetingAddress(session),
    initiated_by: details.initiated_by ?? asText(session['bot_name'])
  };
}

/** `zoom.us/j/1234567890` */
export function meetingAddress(session: Fields): string | null {
  const url = parseUrl(asText(session['meeting_url']) ?? '');
  return url === null ? null : `${url.host}${url.pathname}`;
}

/** The reference of one file of a session. @param part type of the recording, …; names the file too */
export function ofSession(reference: RecordingReference, part: string): RecordingReference {
  const { details } = reference;
  return {
    ...reference,
    isCollection: false,
    identity: identityOfMeeting(details.provider, factsOf(reference).session_id, part),
    details: { ...details, track: part }
  };
}
