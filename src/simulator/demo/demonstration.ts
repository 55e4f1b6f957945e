import path from 'node:path';
import type { Print } from '../print';
import { DAILY_SEED_EVENTS } from '../daily-events';
import { DailyStandIn } from '../daily-stand-in';
import type { DeliveryReport } from '../deliver';
import { SEED_EVENTS } from '../sample-catalogue';
import type { SampleDelivery } from '../sample-delivery';
import { type ExpectedFile, TelnyxStandIn } from '../stand-in';
import type { DemoOptions } from './demo-options';
import { prepareExample } from './example-flow';
import { freePort } from './free-port';
import type { NodeRedChild } from './node-red-child';
import { installPackage } from './package-install';
import { step } from './steps';
import { awaitCopy, type StoredCopy } from './stored-copy';
import { prepareUserDirectory } from './user-directory';
import type { Workshop } from './workshop';

/** Where things lie in the repository. */
export interface Places {
  repository: string;
  /** The flow to show, with a webhook node of each provider. */
  example: string;
  /** The flow that waits for the real Telnyx. */
  telnyxExample: string;
  /** Node-RED's red.js. */
  nodeRed: string;
  /** Node-RED's own settings.js. */
  stockSettings: string;
}

/** How long a small machine may take to start Node-RED. */
export const START_MS = 60_000;
const STORE_MS = 45_000;

/**
 * Shows the main job: a real Node-RED with the installed package gets one signed delivery of each seed
 * event, and the announced recordings are compared byte for byte with what was announced.
 *
 * @returns the running Node-RED
 * @throws Error that says what is missing or differs
 */
export async function demonstrate(
  options: DemoOptions,
  places: Places,
  workshop: Workshop,
  print: Print,
  signal: AbortSignal
): Promise<NodeRedChild> {
  const standIn = new TelnyxStandIn({ fault: options.fault });
  await workshop.start(standIn);
  print(`- A stand-in for Telnyx listens at ${standIn.url}, public key ${standIn.publicKey}`);
  const daily = new DailyStandIn({ fault: options.fault });
  await workshop.start(daily);
  print(`- A stand-in for Daily listens at ${daily.url}`);

  const userDir = workshop.temporaryFolder(options.keep);
  const flow = prepareExample(places.example, {
    publicKey: standIn.publicKey,
    apiUrl: standIn.apiUrl,
    dailyApiUrl: daily.apiUrl
  });
  if (flow.dailyPath === null) throw new Error(`${places.example} has no webhook node of Daily`);
  prepareUserDirectory(userDir, places.stockSettings, flow.json);
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
  await step(
    print,
    `Starting Node-RED with the flow "${path.basename(places.example, '.json')}"`,
    async () => {
      await nodeRed.started(START_MS, signal);
      return `the flow listens at ${nodeRed.url}${flow.webhookPath}`;
    }
  );

  const telnyxSeeds = { standIn, events: SEED_EVENTS, to: nodeRed.url + flow.webhookPath };
  const dailySeeds = { standIn: daily, events: DAILY_SEED_EVENTS, to: nodeRed.url + flow.dailyPath };
  const expected = [
    ...(await deliverSeeds(telnyxSeeds, nodeRed, print, signal)),
    ...(await deliverSeeds(dailySeeds, nodeRed, print, signal))
  ];
  const folder = path.resolve(userDir, flow.recordingsFolder);
  await checkCopies(expected, folder, nodeRed, print, signal);
  return nodeRed;
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

async function checkCopies(
  expected: ExpectedFile[],
  folder: string,
  nodeRed: NodeRedChild,
  print: Print,
  signal: AbortSignal
): Promise<void> {
  const problems: string[] = [];
  for (const file of expected) {
    const copy = await awaitCopy(folder, file, STORE_MS, signal);
    if (copy) {
      describeCopy(copy, print);
      problems.push(...copy.differences.map((difference) => `${copy.path}: ${difference}`));
    } else {
      problems.push(
        `no ${file.format} of recording ${file.recordingId} was stored within ${STORE_MS / 1000} s`
      );
    }
  }
  if (problems.length > 0) {
    const list = problems.map((problem) => `  ${problem}`).join('\n');
    throw new Error(
      `Not every recording is stored and intact:\n${list}\nNode-RED logged:\n${nodeRed.logTail()}`
    );
  }
  print(`All ${expected.length} recordings are stored, and are what was announced.`);
}

function describeCopy({ path: file, size, sha256, differences }: StoredCopy, print: Print): void {
  print(`- Stored ${file}`);
  print(`  ${size} bytes, SHA-256 ${sha256}`);
  print(differences.length === 0 ? '  the same bytes as sent, and as the sidecar says' : '  DIFFERS');
}

/** Settings of the user's own Telnyx and Daily accounts have no business in a demonstration. */
function withoutOwnSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^(TELNYX_|DAILY_|NODE_RED_|npm_)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}
