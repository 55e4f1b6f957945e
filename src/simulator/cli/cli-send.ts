import { setMaxListeners } from 'node:events';
import type { DeliveryReport } from '../deliver';
import { TimeLimit } from '../time-limit';
import type { SendOptions } from './cli-options';
import type { Print } from './print';
import type { AnnouncedRecording, OpenStandIn, StandInDescription } from './stand-ins';

/** How sending ended; the first that applies. */
export type SendOutcome = 'refused' | 'not-fetched' | 'done';

/**
 * Sends the requested deliveries, then serves their recordings until the flow has fetched them or `linger`
 * seconds are over.
 *
 * @param signal ends sending and waiting early
 * @returns `refused` when a delivery was not accepted, `not-fetched` when the flow did not fetch a recording;
 *   not checked with a `linger` of 0
 */
export async function send(options: SendOptions, print: Print, signal: AbortSignal): Promise<SendOutcome> {
  const standIn = options.standIn.open(options);
  await standIn.start();
  try {
    return await sendAll(standIn, options, print, signal);
  } finally {
    await standIn.stop();
  }
}

async function sendAll(
  standIn: OpenStandIn,
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<SendOutcome> {
  const { seconds, to } = options;
  const announced: AnnouncedRecording[] = [];
  let accepted = true;
  for (let round = 0; round < options.count; round++) {
    for (const event of options.events) {
      const { report, recording } = await standIn.send(event, { seconds, to, signal });
      print(`${event}: ${describeReport(report, options.standIn)}`);
      if (!report.accepted) accepted = false;
      else if (recording !== null) announced.push(recording);
    }
  }
  let fetched = true;
  if (announced.length > 0 && options.linger > 0) fetched = await linger(announced, options, print, signal);
  return !accepted ? 'refused' : fetched ? 'done' : 'not-fetched';
}

/** @returns whether the flow fetched all */
async function linger(
  announced: AnnouncedRecording[],
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<boolean> {
  print(`Serving ${count(announced.length)} for up to ${options.linger} s, until the flow has fetched all.`);
  const limit = new TimeLimit(options.linger * 1000, signal);
  setMaxListeners(0, limit.signal);
  try {
    await Promise.allSettled(announced.map((recording) => recording.downloaded(limit.signal)));
  } finally {
    limit.dispose();
  }
  const fetched = announced.filter((recording) => recording.downloads() > 0).length;
  print(`The flow fetched ${fetched} of ${count(announced.length)}.`);
  if (fetched === announced.length) return true;
  print(
    fetched === 0 ? WHY_NOTHING : 'Look at the status of the download node; --linger gives it more time.'
  );
  const { adviceOnNothing } = options.standIn;
  if (fetched === 0 && adviceOnNothing !== null) print(adviceOnNothing);
  return false;
}

const WHY_NOTHING = `Look at the recording download node of the flow:
- Its status says what went wrong; the Debug sidebar has the whole text.
- "Addresses" (below "Advanced") must be "any address, also http and private networks", because these
  recordings come from this machine by http. In the example "Try it without an account" it is.
- No status at all: no event has reached it. Wire it to the webhook node, and deploy.`;

function describeReport({ last, attempts }: DeliveryReport, standIn: StandInDescription): string {
  const outcome = last.status === null ? `no answer (${last.problem ?? ''})` : `answered ${last.status}`;
  const repeats = attempts.length === 1 ? '' : ` at attempt ${attempts.length}`;
  const advice = adviceFor(last.status, standIn);
  return `${outcome} in ${last.milliseconds} ms${repeats}${advice}`;
}

/** What to check; blank where the flow itself decided. */
function adviceFor(status: number | null, { proof, keyCommand }: StandInDescription): string {
  switch (status) {
    case null:
      return '; does Node-RED run, and at this address?';
    case 401:
      return `; is the ${proof} of "${keyCommand}" in the account, and deployed?`;
    case 404:
      return '; no flow listens at this address';
    case 503:
      return `; look at the status of the webhook node. Is the ${proof} of "${keyCommand}" in its account, and deployed?`;
    default:
      return '';
  }
}

function count(recordings: number): string {
  return recordings === 1 ? '1 recording' : `${recordings} recordings`;
}
