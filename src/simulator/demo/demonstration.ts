import path from 'node:path';
import type { Print } from '../cli/print';
import { DAILY_SEED_EVENTS } from '../daily/daily-events';
import { DailyStandIn } from '../daily/daily-stand-in';
import { SIDE_FILES } from '../daily/daily-texts';
import type { DeliveryReport } from '../deliver';
import { SEED_EVENTS } from '../telnyx/sample-catalogue';
import type { SampleDelivery } from '../telnyx/sample-delivery';
import { type ExpectedFile, TelnyxStandIn } from '../stand-in';
import type { DemoOptions } from './demo-options';
import { contextOfMeeting, deliverMeeting } from './scenes/archive-meeting';
import { prepareExample } from './example-flow';
import { freePort } from './free-port';
import type { NodeRedChild } from './node-red-child';
import { installPackage } from './package-install';
import { fetchLost, findLost } from './scenes/lost-deliveries';
import { step } from './steps';
import { checkCopies, checkText } from './check-copies';
import { prepareUserDirectory } from './user-directory';
import type { Workshop } from './workshop';

/** Where things are in the repository. */
export interface Places {
  repository: string;
  /** The flow to show, with a webhook node of each provider. */
  example: string;
  /** The flow that fetches what no webhook announced. */
  listExample: string;
  /** The flow that finds what was never delivered. */
  deliveryExample: string;
  /** The flow that waits for the real Telnyx. */
  telnyxExample: string;
  /** Node-RED's red.js. */
  nodeRed: string;
  /** Node-RED's own settings.js. */
  stockSettings: string;
}

/** What a demonstration works with. */
export interface DemoDeps {
  places: Places;
  workshop: Workshop;
  print: Print;
}

/** How long a small machine may take to start Node-RED. */
export const START_MS = 60_000;
/** The deliveries that are lost on purpose: one that announces a recording, and one of another kind. */
const LOST_RECORDING = 'call.recording.saved';
const LOST_EVENT = 'message.received';

/**
 * Shows the main job: a real Node-RED with the installed package gets one signed delivery of each seed
 * event. Two more deliveries are lost on purpose. Comparing Telnyx's list with the archive finds the recording of one;
 * comparing Telnyx's log of deliveries with what arrived finds the other. In the end the stored recordings are
 * compared byte for byte with those of the stand-ins.
 *
 * @returns the running Node-RED
 * @throws Error that says what is missing or differs
 */
export async function demonstrate(
  options: DemoOptions,
  { places, workshop, print }: DemoDeps,
  signal: AbortSignal
): Promise<NodeRedChild> {
  const standIn = new TelnyxStandIn({ fault: options.fault });
  await workshop.start(standIn);
  print(`- A stand-in for Telnyx listens at ${standIn.url}, public key ${standIn.publicKey}`);
  const daily = new DailyStandIn({ fault: options.fault });
  await workshop.start(daily);
  print(`- A stand-in for Daily listens at ${daily.url}`);

  const userDir = workshop.temporaryFolder(options.keep);
  const examples = [places.example, places.listExample, places.deliveryExample];
  const foundFile = path.join(userDir, 'found.jsonl');
  const flow = prepareExample(examples, {
    publicKey: standIn.publicKey,
    apiUrl: standIn.apiUrl,
    dailyApiUrl: daily.apiUrl,
    foundFile
  });
  if (flow.dailyPath === null) throw new Error(`${places.example} has no webhook node of Daily`);
  if (flow.listButton === null) throw new Error(`${places.listExample} has no button that begins a list`);
  if (flow.deliveryButton === null)
    throw new Error(`${places.deliveryExample} has no button that begins a list`);
  const meeting = standIn.meetings.add();
  prepareUserDirectory(userDir, places.stockSettings, flow.json, contextOfMeeting(meeting));
  await step(print, `Installing the package into ${userDir}`, () =>
    installPackage(places.repository, userDir, signal)
  );

  const port = await freePort(options.port);
  const nodeRed = workshop.startNodeRed({
    program: places.nodeRed,
    userDir,
    port,
    env: {
      ...withoutOwnSettings(process.env),
      TELNYX_API_KEY: standIn.apiKey,
      DAILY_API_KEY: daily.apiKey,
      DAILY_HMAC_SECRET: daily.secret.hmac
    }
  });
  await step(print, `Starting Node-RED with the flows ${examples.map(nameOf).join(', ')}`, async () => {
    await nodeRed.started(START_MS, signal);
    return `the flow listens at ${nodeRed.url}${flow.webhookPath}`;
  });

  const telnyxSeeds = { standIn, events: SEED_EVENTS, to: nodeRed.url + flow.webhookPath };
  const dailySeeds = {
    standIn: {
      sample: (name: string) => daily.sample(name, { dataOutputs: SIDE_FILES }),
      deliver: daily.deliver.bind(daily),
      expectedFiles: daily.expectedFiles.bind(daily)
    },
    events: DAILY_SEED_EVENTS,
    to: nodeRed.url + flow.dailyPath
  };
  const announced = [
    ...(await deliverSeeds(telnyxSeeds, nodeRed, print, signal)),
    ...(await deliverSeeds(dailySeeds, nodeRed, print, signal))
  ];
  // They come after their recording, as messages of their own.
  const sideFiles = announced.filter(({ track }) => track !== undefined);
  const recordings = announced.filter(({ track }) => track === undefined);
  const ofMeeting = await deliverMeeting({ standIn, meeting, to: telnyxSeeds.to }, nodeRed, print, signal);
  const { recording } = standIn.sample(LOST_RECORDING);
  if (recording === null) throw new Error(`${LOST_RECORDING} announces no recording`);
  const { text } = standIn.addTranscription(recording.id);
  print(`- ${LOST_RECORDING}: lost on purpose, nobody tells the flow of recording ${recording.id}`);
  print('- call.recording.transcription.saved: lost on purpose, nobody tells the flow of its transcript');
  const lostId = loseEvent(standIn, telnyxSeeds.to);
  print(`- ${LOST_EVENT}: lost on purpose, message ${lostId} never arrives`);

  const shelf = { folder: path.resolve(userDir, flow.recordingsFolder), nodeRed, print, signal };
  await checkCopies(recordings, shelf);
  await checkCopies(ofMeeting, shelf);
  const found = { standIn, lost: recording, button: flow.listButton, flow: nameOf(places.listExample) };
  await fetchLost(found, nodeRed, print, signal);
  await checkCopies(standIn.expectedFiles(recording), shelf);
  await checkText({ recordingId: recording.id, text }, shelf);
  await findLost(
    {
      type: LOST_EVENT,
      id: lostId,
      button: flow.deliveryButton,
      flow: nameOf(places.deliveryExample),
      file: foundFile
    },
    nodeRed,
    print,
    signal
  );
  await checkCopies(sideFiles, shelf);
  print(
    `All ${recordings.length + 1} recordings are stored, and are what the stand-ins have: also the lost one. So are the ` +
      `${ofMeeting.length} files of the meeting, and the ${sideFiles.length} side files of the Daily recording.`
  );
  return nodeRed;
}

/** @returns the `id` of its payload */
function loseEvent(standIn: TelnyxStandIn, to: string): string {
  const sample = standIn.sample(LOST_EVENT);
  standIn.lose(sample, to);
  const { data } = JSON.parse(sample.body(1, to).toString()) as { data: { payload: { id: string } } };
  return data.payload.id;
}

function nameOf(example: string): string {
  return `"${path.basename(example, '.json')}"`;
}

/** What a stand-in sends, and where. */
interface Seeds<Recording> {
  standIn: {
    sample(name: string): Omit<SampleDelivery, 'recording'> & { recording: Recording | null };
    deliver(
      sample: Pick<SampleDelivery, 'body' | 'contentType'>,
      to: string,
      options: { signal: AbortSignal }
    ): Promise<DeliveryReport>;
    expectedFiles(recording: Recording): ExpectedFile[];
  };
  events: readonly string[];
  to: string;
}

async function deliverSeeds<Recording>(
  { standIn, events, to }: Seeds<Recording>,
  nodeRed: NodeRedChild,
  print: Print,
  signal: AbortSignal
): Promise<ExpectedFile[]> {
  const expected: ExpectedFile[] = [];
  for (const event of events) {
    const sample = standIn.sample(event);
    const { accepted, last } = await standIn.deliver(sample, to, { signal });
    print(`- ${event}: ${last.status ?? last.problem ?? 'no answer'} in ${last.milliseconds} ms`);
    if (!accepted) throw new Error(`The flow did not accept ${event}. It logged:\n${nodeRed.logTail()}`);
    if (sample.recording) expected.push(...standIn.expectedFiles(sample.recording));
  }
  return expected;
}

/** The settings of the user's own Telnyx and Daily accounts do not belong in a demonstration. */
function withoutOwnSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^(TELNYX_|DAILY_|NODE_RED_|npm_)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}
