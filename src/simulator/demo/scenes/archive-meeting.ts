import { createHash } from 'node:crypto';
import type { Print } from '../../cli/print';
import type { ExpectedFile, TelnyxStandIn } from '../../stand-in';
import { MEETING_EVENTS, type StandInMeeting } from '../../telnyx/meeting';
import type { NodeRedChild } from '../node-red-child';

/** Where flows keep the secrets of the meetings that they start, as the dialog of the account suggests. */
const SECRETS = 'telnyxMeetingSecrets';

/** The global context of a Node-RED whose flow has started a meeting. */
export function contextOfMeeting({ id, secret }: StandInMeeting): Record<string, unknown> {
  return { [SECRETS]: { [id]: secret } };
}

/** A meeting, and where its events go. */
export interface MeetingParts {
  standIn: Pick<TelnyxStandIn, 'deliverMeeting' | 'expectedOfMeeting'>;
  meeting: StandInMeeting;
  to: string;
}

/**
 * Sends all events of a meeting.
 *
 * @returns the files that they announce, apart from the transcript as JSON
 * @throws Error when one is not accepted
 */
export async function deliverMeeting(
  { standIn, meeting, to }: MeetingParts,
  nodeRed: Pick<NodeRedChild, 'logTail'>,
  print: Print,
  signal: AbortSignal
): Promise<ExpectedFile[]> {
  for (const event of MEETING_EVENTS) {
    const { accepted, last } = await standIn.deliverMeeting(meeting, event, to, { signal });
    print(`- ${event}: ${last.status ?? last.problem ?? 'no answer'} in ${last.milliseconds} ms`);
    if (!accepted) throw new Error(`The flow did not accept ${event}. It logged:\n${nodeRed.logTail()}`);
  }
  return [
    ...standIn.expectedOfMeeting(meeting),
    textFile(meeting, transcriptText(meeting)),
    textFile(meeting, `${meeting.summary.text}\n`)
  ];
}

/** What people read of a transcript: a line for each thing that was said. */
function transcriptText({ segments }: StandInMeeting): string {
  const lines = segments.map(({ relative_ts, speaker_label, text }) => {
    const clock = new Date(relative_ts * 1000).toISOString().slice(11, 19);
    return `[${clock}] ${speaker_label ?? ''}: ${text}\n`;
  });
  return lines.join('');
}

function textFile({ id: recordingId }: StandInMeeting, text: string): ExpectedFile {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { recordingId, format: 'txt', size: bytes.length, sha256 };
}
