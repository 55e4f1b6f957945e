import { digitsOf } from '../../archive/index/search-entries';
import { CodedError } from '../../errors/coded-error';
import type { RecordingDetails } from '../../recording/recording-details';
import { numberParts } from '../../text/number-parts';
import { asFields, asText } from '../../values/fields';

/** Which recordings a flow means: those to which all of it applies. */
export interface RecordingQuery {
  recordingId: string | null;
  /** Of the caller or the called party. */
  number: string | null;
  /** Id of the call, the leg, the conference or the meeting. */
  call: string | null;
  /** A part of the text of the recording; empty: any, even none. */
  text: string;
  /** When it began; milliseconds since 1970, null: no bound. `before` is not part of the span. */
  from: number | null;
  before: number | null;
}

const NAMES = ['recording_id', 'number', 'call', 'text', 'from', 'to'];

/** Characters. No id or number is longer, and no text that somebody looks for. */
const LONGEST = 1000;

/**
 * Reads `msg.query`. A name that nobody knows is refused: without what it stands for the query would mean more recordings.
 *
 * @param readRange reads the two ends of the span. @throws CodedError `BAD_SETTING`
 * @throws CodedError `BAD_SETTING` that says what is wrong
 */
export function readRecordingQuery(
  value: unknown,
  readRange: (from: unknown, to: unknown) => { from: number | null; to: number | null }
): RecordingQuery {
  const fields = asFields(value ?? {});
  if (fields === null)
    throw new CodedError('BAD_SETTING', `msg.query must be an object with some of ${NAMES.join(', ')}.`);
  for (const name of Object.keys(fields))
    if (!NAMES.includes(name))
      throw new CodedError(
        'BAD_SETTING',
        `msg.query has a property that is unknown. It may have ${NAMES.join(', ')}. Correct its name, or leave it out.`
      );
  const { from, to } = readRange(fields['from'], fields['to']);
  return {
    recordingId: readPart(fields, 'recording_id'),
    number: readPart(fields, 'number'),
    call: readPart(fields, 'call'),
    text: readPart(fields, 'text') ?? '',
    from,
    before: to
  };
}

/** A blank one is refused: it is what becomes of a property that a flow failed to set. */
function readPart(fields: Readonly<Record<string, unknown>>, name: string): string | null {
  if (!Object.hasOwn(fields, name)) return null;
  const text = asText(fields[name]);
  if (text !== null && text.length <= LONGEST) return text;
  throw new CodedError(
    'BAD_SETTING',
    `msg.query.${name} must be a text of at most ${LONGEST} characters that is not blank. Set it, or leave it out.`
  );
}

/** Whether a query names recordings of its own, and not just a span of time or a text. */
export function isNaming({ recordingId, number, call }: RecordingQuery): boolean {
  return recordingId !== null || number !== null || call !== null;
}

/** Whether a query means every recording. */
export function isOpen(query: RecordingQuery): boolean {
  return !isNaming(query) && query.text === '' && query.from === null && query.before === null;
}

/** What is compared of a recording; from outside. */
type Compared = Partial<RecordingDetails>;

/**
 * Whether a recording is one of those meant: ids are compared as a whole, numbers by all of their digits, so that
 * `+1 (555) 010-0199` means `+15550100199` and nothing else. The span and the text are not part of it.
 *
 * @param isPartEnough whether a part of a number is enough, as in the sidebar
 */
export function isMeant(
  { recordingId, number, call }: RecordingQuery,
  recording: Compared,
  isPartEnough: boolean
): boolean {
  const { call_session_id, call_leg_id, call_control_id, conference_id, mtg_session_id } = recording;
  const calls = [call_session_id, call_leg_id, call_control_id, conference_id, mtg_session_id];
  const isParty = isPartEnough ? hasPart : isNumber;
  return (
    (recordingId === null || asText(recording.recording_id) === recordingId) &&
    (number === null || [recording.from, recording.to].some((party) => isParty(asText(party), number))) &&
    (call === null || calls.some((id) => asText(id) === call))
  );
}

function isNumber(party: string | null, wanted: string): boolean {
  if (party === null) return false;
  if (party.toLowerCase() === wanted.toLowerCase()) return true;
  if (!/^[\d\s+()./-]+$/.test(wanted)) return false;
  // The zeros of `001 555` dial, and are no part of the number.
  const digits = significant(digitsOf(wanted));
  return digits !== '' && significant(digitsOf(party)) === digits;
}

function hasPart(party: string | null, wanted: string): boolean {
  if (party === null) return false;
  const digits = digitsOf(party);
  return (
    party.toLowerCase().includes(wanted.toLowerCase()) ||
    numberParts(wanted).some((part) => digits.includes(part))
  );
}

function significant(digits: string): string {
  return digits.replace(/^0+/, '');
}
