import type { Provider } from '../../events/provider';
import { DAILY_KINDS } from '../daily/daily-events';
import { DailyStandIn } from '../daily/daily-stand-in';
import type { DeliveryReport } from '../deliver';
import { TelnyxStandIn } from '../stand-in';
import { SAMPLE_KINDS } from '../telnyx/sample-catalogue';
import type { SampleDelivery } from '../telnyx/sample-delivery';
import { dailyKeysFromFile, telnyxKeysFromFile } from './key-file';

/** All that the command needs to know about the stand-in for one provider. */
export interface StandInDescription {
  readonly name: Provider;
  /** The events that it sends. */
  readonly kinds: readonly { name: string; description: string }[];
  /** The event that it sends when none is named. */
  readonly usualEvent: string;
  /** 0: any free one. */
  readonly usualPort: number;
  /** What proves the sender of a delivery, as the dialog of the account calls it. */
  readonly proof: string;
  /** The command that prints what to put into the account. */
  readonly keyCommand: string;
  /** What that prints. @throws Error when the key file cannot be used */
  keyLines(keyFile: string): string[];
  /** Its own advice for a flow that fetches nothing; null if there is none. */
  readonly adviceOnNothing: string | null;
  /** @throws Error when the key file cannot be used */
  open(options: OpenOptions): OpenStandIn;
}

export interface OpenOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  keyFile: string;
}

/** A stand-in for any provider. */
export interface OpenStandIn {
  readonly apiUrl: string;
  readonly apiKey: string;
  /** Names and shows what its deliveries are checked with. */
  readonly proofLine: string;
  /** @throws Error when the port is taken */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Puts recordings into the account without announcing them. @param seconds length of each */
  fill(recordings: number, seconds: number): void;
  /** Makes a delivery, and the recording that it announces, and sends it. */
  send(
    event: string,
    options: { seconds: number; to: string; signal: AbortSignal }
  ): Promise<{ report: DeliveryReport; recording: AnnouncedRecording | null }>;
}

/** A recording that a delivery announces. */
export interface AnnouncedRecording {
  /** How often its file has been fetched to the end. */
  downloads(): number;
  /**
   * Resolves when its file has been fetched to the end.
   *
   * @throws Error `AbortError` when the signal fires first
   */
  downloaded(signal: AbortSignal): Promise<void>;
}

/** Daily's recordings are asked for at the API, whose address the flow must know in advance. */
export const DAILY_PORT = 8791;

const telnyx: StandInDescription = {
  name: 'telnyx',
  kinds: SAMPLE_KINDS,
  usualEvent: 'call.recording.saved',
  usualPort: 0,
  proof: 'key',
  keyCommand: 'telnyx-simulator key',
  keyLines: (keyFile) => [telnyxKeysFromFile(keyFile).key.publicKey],
  adviceOnNothing: null,
  open: ({ host, port, keyFile }) => {
    const standIn = new TelnyxStandIn({ host, port, ...telnyxKeysFromFile(keyFile) });
    return opened(standIn, `Public key   ${standIn.publicKey}`, (index, seconds) => {
      standIn.addRecording({ seconds, formats: [index % 2 === 0 ? 'mp3' : 'wav'] });
    });
  }
};

const daily: StandInDescription = {
  name: 'daily',
  kinds: DAILY_KINDS,
  usualEvent: 'recording.ready-to-download',
  usualPort: DAILY_PORT,
  proof: 'secret',
  keyCommand: 'telnyx-simulator key --provider daily',
  keyLines: (keyFile) => {
    const { secret, apiKey } = dailyKeysFromFile(keyFile);
    return [
      `Webhook secret  ${secret.hmac}`,
      `API key         ${apiKey}`,
      `API address     http://127.0.0.1:${DAILY_PORT}/v1`
    ];
  },
  adviceOnNothing:
    '- Its Daily account needs the API address and the API key of "telnyx-simulator key --provider daily".',
  open: ({ host, port, keyFile }) => {
    const standIn = new DailyStandIn({ host, port, ...dailyKeysFromFile(keyFile) });
    return opened(standIn, `Secret       ${standIn.secret.hmac}`, (_index, seconds) => {
      standIn.addRecording({ seconds });
    });
  }
};

/** All stand-ins, the usual one first. */
export const STAND_INS: readonly [StandInDescription, ...StandInDescription[]] = [telnyx, daily];

/** What all stand-ins have in common. */
interface Sender<Recording, Sample> {
  readonly apiUrl: string;
  readonly apiKey: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  sample(name: string, overrides: { seconds: number }): Sample;
  deliver(sample: Sample, to: string, options: { signal: AbortSignal }): Promise<DeliveryReport>;
  downloads(recording: Recording): number;
  downloaded(recording: Recording, signal: AbortSignal): Promise<void>;
}

type Delivery<Recording> = Pick<SampleDelivery, 'body' | 'contentType'> & { recording: Recording | null };

/** @param add puts one recording into the account, given its number from 0 and its length */
function opened<Recording, Sample extends Delivery<Recording>>(
  standIn: Sender<Recording, Sample>,
  proofLine: string,
  add: (index: number, seconds: number) => void
): OpenStandIn {
  return {
    // The address is known once it listens.
    get apiUrl() {
      return standIn.apiUrl;
    },
    apiKey: standIn.apiKey,
    proofLine,
    start: () => standIn.start(),
    stop: () => standIn.stop(),
    fill: (recordings, seconds) => {
      for (let index = 0; index < recordings; index++) add(index, seconds);
    },
    send: async (event, { seconds, to, signal }) => {
      const sample = standIn.sample(event, { seconds });
      const report = await standIn.deliver(sample, to, { signal });
      return { report, recording: sample.recording === null ? null : announced(standIn, sample.recording) };
    }
  };
}

function announced<Recording>(
  standIn: Pick<Sender<Recording, never>, 'downloads' | 'downloaded'>,
  recording: Recording
): AnnouncedRecording {
  return {
    downloads: () => standIn.downloads(recording),
    downloaded: (signal) => standIn.downloaded(recording, signal)
  };
}
