import { setMaxListeners } from 'node:events';
import type { Provider } from '../../events/provider';
import type { SendOptions } from './cli-options';
import type { DeliveryReport } from '../deliver';
import { DailyStandIn } from '../daily/daily-stand-in';
import { dailyKeysFromFile, keyFromFile } from './key-file';
import type { Print } from './print';
import type { SampleDelivery } from '../telnyx/sample-delivery';
import { TelnyxStandIn } from '../stand-in';
import { TimeLimit } from '../time-limit';

/** What sending needs of a stand-in. */
interface Sender<Recording> {
  start(): Promise<void>;
  stop(): Promise<void>;
  sample(
    name: string,
    overrides: { seconds: number }
  ): Omit<SampleDelivery, 'recording'> & { recording: Recording | null };
  deliver(
    sample: Pick<SampleDelivery, 'body' | 'contentType'>,
    to: string,
    options: { signal: AbortSignal }
  ): Promise<DeliveryReport>;
  downloads(recording: Recording): number;
  downloaded(recording: Recording, signal: AbortSignal): Promise<void>;
}

/** How sending ended; the first that applies. */
export type SendOutcome = 'refused' | 'not-fetched' | 'done';

/**
 * Sends the deliveries that the options ask for, then serves their recordings until the flow has
 * fetched them or `linger` seconds are over.
 *
 * @param signal ends sending and waiting early
 * @returns `refused` when a delivery was not accepted, `not-fetched` when the flow left a recording where it
 *   was; with a `linger` of 0 nobody looks
 */
export async function send(options: SendOptions, print: Print, signal: AbortSignal): Promise<SendOutcome> {
  const { host, port, keyFile } = options;
  return options.provider === 'daily'
    ? sendFrom(new DailyStandIn({ host, port, ...dailyKeysFromFile(keyFile) }), options, print, signal)
    : sendFrom(new TelnyxStandIn({ host, port, key: keyFromFile(keyFile) }), options, print, signal);
}

async function sendFrom<Recording>(
  standIn: Sender<Recording>,
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<SendOutcome> {
  await standIn.start();
  try {
    return await sendAll(standIn, options, print, signal);
  } finally {
    await standIn.stop();
  }
}

async function sendAll<Recording>(
  standIn: Sender<Recording>,
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<SendOutcome> {
  const announced: Recording[] = [];
  let accepted = true;
  for (let round = 0; round < options.count; round++) {
    for (const event of options.events) {
      const sample = standIn.sample(event, { seconds: options.seconds });
      const report = await standIn.deliver(sample, options.to, { signal });
      print(`${event}: ${describeReport(report, options.provider)}`);
      if (!report.accepted) accepted = false;
      else if (sample.recording) announced.push(sample.recording);
    }
  }
  let fetched = true;
  if (announced.length > 0 && options.linger > 0) {
    fetched = await linger(standIn, announced, options, print, signal);
  }
  return !accepted ? 'refused' : fetched ? 'done' : 'not-fetched';
}

/** @returns whether the flow fetched all */
async function linger<Recording>(
  standIn: Sender<Recording>,
  announced: Recording[],
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<boolean> {
  print(`Serving ${count(announced.length)} for up to ${options.linger} s, until the flow has fetched all.`);
  const limit = new TimeLimit(options.linger * 1000, signal);
  setMaxListeners(0, limit.signal);
  try {
    await Promise.allSettled(announced.map((recording) => standIn.downloaded(recording, limit.signal)));
  } finally {
    limit.dispose();
  }
  const fetched = announced.filter((recording) => standIn.downloads(recording) > 0).length;
  print(`The flow fetched ${fetched} of ${count(announced.length)}.`);
  if (fetched === announced.length) return true;
  print(
    fetched === 0 ? WHY_NOTHING : 'Look at the status of the download node; --linger gives it more time.'
  );
  if (fetched === 0 && options.provider === 'daily') print(WHY_NOTHING_OF_DAILY);
  return false;
}

const WHY_NOTHING = `Look at the recording download node of the flow:
- Its status says what went wrong; the Debug sidebar has the whole text.
- "Addresses" (below "Advanced") must be "any address, also http and private networks", because these
  recordings come from this machine by http. In the example "Try it without an account" it is.
- No status at all: no event has reached it. Wire it to the webhook node, and deploy.`;

const WHY_NOTHING_OF_DAILY = `- Its Daily account needs the API address and the API key of "telnyx-simulator key --provider daily".`;

function describeReport({ last, attempts }: DeliveryReport, provider: Provider): string {
  const outcome = last.status === null ? `no answer (${last.problem ?? ''})` : `answered ${last.status}`;
  const repeats = attempts.length === 1 ? '' : ` at attempt ${attempts.length}`;
  const advice = adviceFor(last.status, provider);
  return `${outcome} in ${last.milliseconds} ms${repeats}${advice}`;
}

/** What to look at; blank where the flow itself decided. */
function adviceFor(status: number | null, provider: Provider): string {
  const [what, command] =
    provider === 'daily'
      ? ['secret', 'telnyx-simulator key --provider daily']
      : ['key', 'telnyx-simulator key'];
  switch (status) {
    case null:
      return '; does Node-RED run, and at this address?';
    case 401:
      return `; is the ${what} of "${command}" in the account, and deployed?`;
    case 404:
      return '; no flow listens at this address';
    case 503:
      return `; look at the status of the webhook node. Is the ${what} of "${command}" in its account, and deployed?`;
    default:
      return '';
  }
}

function count(recordings: number): string {
  return recordings === 1 ? '1 recording' : `${recordings} recordings`;
}
