import { setMaxListeners } from 'node:events';
import type { SendOptions } from './cli-options';
import type { DeliveryReport } from './deliver';
import { keyFromFile } from './key-file';
import type { Print } from './print';
import type { StandInRecording } from './recording-shelf';
import { TelnyxStandIn } from './stand-in';

/**
 * Sends the deliveries that the options ask for, then serves their recordings until the flow has
 * fetched them or `linger` seconds are over.
 *
 * @param signal ends sending and waiting early
 * @returns whether every delivery was accepted
 */
export async function send(options: SendOptions, print: Print, signal: AbortSignal): Promise<boolean> {
  const standIn = new TelnyxStandIn({ host: options.host, key: keyFromFile(options.keyFile) });
  await standIn.start();
  try {
    return await sendAll(standIn, options, print, signal);
  } finally {
    await standIn.stop();
  }
}

async function sendAll(
  standIn: TelnyxStandIn,
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<boolean> {
  const announced: StandInRecording[] = [];
  let accepted = true;
  for (let round = 0; round < options.count; round++) {
    for (const event of options.events) {
      const sample = standIn.sample(event, { seconds: options.seconds });
      const report = await standIn.deliver(sample, options.to, { signal });
      print(`${event}: ${describeReport(report)}`);
      if (!report.accepted) accepted = false;
      else if (sample.recording) announced.push(sample.recording);
    }
  }
  if (announced.length > 0 && options.linger > 0) await linger(standIn, announced, options, print, signal);
  return accepted;
}

async function linger(
  standIn: TelnyxStandIn,
  announced: StandInRecording[],
  options: SendOptions,
  print: Print,
  signal: AbortSignal
): Promise<void> {
  print(`Serving ${count(announced.length)} for up to ${options.linger} s, until the flow has fetched all.`);
  const enough = AbortSignal.any([signal, AbortSignal.timeout(options.linger * 1000)]);
  setMaxListeners(0, enough);
  await Promise.allSettled(announced.map((recording) => standIn.downloaded(recording, enough)));
  const fetched = announced.filter((recording) => standIn.downloads(recording) > 0).length;
  print(`The flow fetched ${fetched} of ${count(announced.length)}.`);
  if (fetched === 0) {
    print('A download node fetches from this machine only when its network setting allows any address.');
  }
}

function describeReport({ last, attempts }: DeliveryReport): string {
  const outcome = last.status === null ? `no answer (${last.problem ?? ''})` : `answered ${last.status}`;
  const repeats = attempts.length === 1 ? '' : ` at attempt ${attempts.length}`;
  const advice =
    last.status === 401
      ? '; is the key of "telnyx-simulator key" in the account, and deployed?'
      : last.status === 404
        ? '; no flow listens at this address'
        : '';
  return `${outcome} in ${last.milliseconds} ms${repeats}${advice}`;
}

function count(recordings: number): string {
  return recordings === 1 ? '1 recording' : `${recordings} recordings`;
}
