import { CodedError } from '../../../errors/coded-error';
import { plainText, textLink } from '../../../recording/extract/from-meeting';
import type { MediaLink, MeetingFacts } from '../../../recording/recording-reference';
import { type Fields, asCount, asFields, asProse, asText } from '../../../values/fields';
import { readTime } from '../../../values/time';
import type { ApiAccess } from '../../http/json-api';
import { meetingAddress, sessionPath } from './meeting-session';

/** Half of what the API allows: a page stays small, however long its sentences are. */
const PAGE_SIZE = 500;
/** A day of lively talk has a tenth of this. */
const MOST_SEGMENTS = 200_000;
/** The largest transcript has 400, each as large as asked for. */
const MOST_PAGES = 5000;
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** What somebody said, with the names of the API. */
interface Segment {
  seq: number | null;
  text: string;
  speaker_label: string | null;
  /** Seconds from the beginning. */
  relative_ts: number | null;
  confidence: number | null;
  occurred_at: string | null;
}

/** What was said in a meeting. */
export interface Transcript {
  readonly segments: readonly Segment[];
  /** Whether it has all that its event announces. */
  isComplete(facts: MeetingFacts): boolean;
}

/**
 * Reads the transcript of a session page by page (Telnyx "Get the transcript of a meeting").
 *
 * @throws CodedError as `JsonApi.request`; `LINK_REFUSED` for any other answer; `TOO_LARGE`
 */
export async function readTranscript(
  api: Pick<ApiAccess, 'request'>,
  facts: MeetingFacts,
  signal: AbortSignal
): Promise<Transcript> {
  const path = sessionPath(facts, ['transcript']);
  const segments: Segment[] = [];
  let last = -Infinity;
  let characters = 0;
  let pages = 0;
  for (let after: string | null = null; ;) {
    const query = { limit: String(PAGE_SIZE), ...(after !== null && { after }) };
    const answer = asFields(await api.request({ method: 'GET', path, query, signal }));
    // A server that does not know the cursor repeats its first page.
    const fresh = readPage(answer).filter(({ seq }) => seq === null || seq > last);
    if (fresh.length === 0) break;
    for (const segment of fresh) {
      last = Math.max(last, segment.seq ?? -Infinity);
      characters += segment.text.length + (segment.speaker_label?.length ?? 0);
      segments.push(segment);
    }
    pages += 1;
    if (segments.length > MOST_SEGMENTS || characters > MOST_CHARACTERS || pages > MOST_PAGES)
      throw tooLarge();
    const next =
      asText(asFields(answer?.['meta'])?.['next_after']) ?? (last === -Infinity ? null : String(last));
    if (next === null || next === after) break;
    after = next;
  }
  return {
    segments,
    isComplete: ({ last_seq, segment_count }) => {
      if (last_seq === null && segment_count === null) return segments.length > 0;
      return (
        (last_seq !== null && segments.length > 0 && last >= last_seq) ||
        (segment_count !== null && segments.length >= segment_count)
      );
    }
  };
}

/** @throws CodedError a retryable `LINK_REFUSED` while segments that the event announces are missing */
export function expectAll(transcript: Transcript, facts: MeetingFacts): void {
  if (transcript.isComplete(facts)) return;
  const { length } = transcript.segments;
  const announced = facts.segment_count === null ? '' : ` of ${facts.segment_count}`;
  throw new CodedError(
    'LINK_REFUSED',
    `Telnyx has ${length}${announced} segments of the transcript so far; the next attempt waits.`,
    { retryable: true, trouble: 'not-there' }
  );
}

/**
 * The two files of a transcript: JSON with all that the API says, and a text for people.
 *
 * @param session what the API says of the session; null when it does not
 */
export function transcriptLinks(
  transcript: Transcript,
  facts: MeetingFacts,
  session: Fields | null
): MediaLink[] {
  const { segments } = transcript;
  const isComplete = transcript.isComplete(facts);
  const about = {
    session_id: facts.session_id,
    complete: isComplete,
    segment_count: segments.length,
    session: session && {
      platform: asText(session['platform']),
      meeting: meetingAddress(session),
      bot_name: asText(session['bot_name']),
      joined_at: readTime(session['joined_at']),
      ended_at: readTime(session['ended_at']),
      metadata: asFields(session['metadata']) ?? {}
    },
    segments
  };
  const lines = segments.map(
    ({ relative_ts, speaker_label, text }) =>
      `${clock(relative_ts)}${speaker_label === null ? '' : `${oneLine(speaker_label)}: `}${oneLine(text)}`
  );
  if (lines.length === 0) lines.push('(Nobody said anything.)');
  if (!isComplete) lines.push('(Incomplete: Telnyx announced more than it had.)');
  const json = `${JSON.stringify(about, null, 2)}\n`.toWellFormed();
  return [
    textLink('json', { text: json, contentType: 'application/json' }),
    textLink('txt', plainText(`${lines.join('\n')}\n`))
  ];
}

function readPage(answer: Fields | null): Segment[] {
  const data: unknown = answer?.['data'];
  if (!Array.isArray(data))
    throw new CodedError(
      'LINK_REFUSED',
      'Expected the transcript of a meeting, but the API answered something else. Check the API address in the account.'
    );
  return data.flatMap((item: unknown) => {
    const fields = asFields(item) ?? {};
    const text = asProse(fields['text']);
    if (text === null && asCount(fields['seq']) === null) return [];
    return [
      {
        seq: asCount(fields['seq']),
        text: text ?? '',
        speaker_label: asProse(fields['speaker_label']),
        relative_ts: asCount(fields['relative_ts']),
        confidence: asCount(fields['confidence']),
        occurred_at: readTime(fields['occurred_at'])
      }
    ];
  });
}

/** `[01:02:03] ` */
function clock(seconds: number | null): string {
  if (seconds === null) return '';
  const whole = Math.floor(seconds);
  const parts = [whole / 3600, (whole / 60) % 60, whole % 60];
  return `[${parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')}] `;
}

function oneLine(text: string): string {
  return text.replace(/[\n\r\v\f\u0085\u2028\u2029]+ */g, ' ');
}

function tooLarge(): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `The transcript of the meeting has more than ${MOST_SEGMENTS} segments, ${MOST_CHARACTERS} characters or ` +
      `${MOST_PAGES} pages, which no meeting has. Check the API address in the account.`
  );
}
