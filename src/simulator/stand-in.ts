import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { deliver, TELNYX_HABITS, type DeliverOptions, type DeliveryReport } from './deliver';
import { DownloadCounts } from './download-counts';
import { LocalServer, type LocalServerOptions } from './local-server';
import type { MediaFormat } from '../samples/media/media';
import { type MediaFault, MediaServer, type ServedFile } from './media/media-server';
import { MeetingsApi } from './telnyx/meetings-api';
import {
  meetingDelivery,
  type MeetingEvent,
  meetingKey,
  meetingMedia,
  type StandInMeeting
} from './telnyx/meeting';
import { mediaOf, RecordingShelf, type ShelvedFile, type StandInRecording } from './telnyx/recording-shelf';
import { DeliveriesApi } from './telnyx/deliveries-api';
import { RecordingsApi } from './telnyx/recordings-api';
import { type StandInTranscription, TranscriptionsApi } from './telnyx/transcriptions-api';
import { WebhookSettingsApi } from './telnyx/webhook-settings-api';
import { RequestLimit, type RequestLimitOptions } from './request-limit';
import { type ApiAccess, isAdmitted } from './telnyx/api-answers';
import { sendJson } from './send-json';
import { sampleKind } from './telnyx/sample-catalogue';
import { type SampleDelivery, sampleDelivery } from './telnyx/sample-delivery';
import { type Clock, SignedLinks } from './signed-links';
import { SigningKey } from './signing-key';

/** The made-up account. */
const ORGANIZATION = '0b7c7e2a-5d0e-4f7b-8f57-3f5c1f0f8a11';

export interface StandInOptions extends LocalServerOptions {
  /** Default: a new key. */
  key?: SigningKey;
  /** The key that the API expects. Default: random. */
  apiKey?: string;
  /** Default: the system's clock. */
  clock?: Clock;
  /** How long a media link works, in seconds. Default 600, as at Telnyx. */
  linkSeconds?: number;
  /** Default: no limit. */
  apiLimit?: RequestLimitOptions;
  /** Default `none`. */
  fault?: MediaFault;
}

/** One file of a recording as a complete and correct copy must be. */
export interface ExpectedFile {
  recordingId: string;
  format: MediaFormat | 'mp4' | 'vtt' | 'srt' | 'json' | 'txt';
  /** Which file of the recording it is, where there are several. */
  track?: string;
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256: string;
}

/**
 * A local stand-in for Telnyx: signs and delivers events with its own key, serves the media of the
 * recordings that they announce, and answers the API of recordings, deliveries and webhook URLs.
 */
export class TelnyxStandIn {
  readonly apiKey: string;
  #key: SigningKey;
  #keyQuestions = 0;
  readonly #options: StandInOptions;
  readonly #clock: Clock;
  readonly #links: SignedLinks;
  readonly #shelf = new RecordingShelf();
  readonly #downloads = new DownloadCounts();
  /** What was delivered and what was not. */
  readonly deliveries: DeliveriesApi;
  readonly #transcriptions: TranscriptionsApi;
  /** Applications, profiles and connections. */
  readonly webhooks: WebhookSettingsApi;
  /** The meeting sessions of the account. */
  readonly meetings: MeetingsApi;
  readonly #server: LocalServer;

  constructor(options: StandInOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#links = new SignedLinks(this.#clock);
    this.#key = options.key ?? new SigningKey();
    this.apiKey = options.apiKey ?? `KEY${randomBytes(24).toString('hex')}`;
    const { apiLimit } = options;
    const access = {
      apiKey: this.apiKey,
      ...(apiLimit && { limit: new RequestLimit(apiLimit, this.#clock) })
    };
    this.deliveries = new DeliveriesApi(access);
    this.#transcriptions = new TranscriptionsApi(access);
    this.webhooks = new WebhookSettingsApi(access);
    const link = (path: string): string => this.#sign(path);
    this.meetings = new MeetingsApi({ ...access, link, now: this.#clock });
    this.#server = this.#createServer(access);
  }

  /** Starts listening; see `LocalServer.start`. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** Stops listening and cuts off what is still being sent. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** What signs its deliveries. */
  get key(): SigningKey {
    return this.#key;
  }

  /** Signs with another key from now on, which its API tells. */
  rotateKey(key = new SigningKey()): void {
    this.#key = key;
  }

  /** How often its API was asked for the public key. */
  get keyQuestions(): number {
    return this.#keyQuestions;
  }

  /** Base64 of the raw 32 bytes, to be put into the account's public keys. */
  get publicKey(): string {
    return this.key.publicKey;
  }

  /** `http://<host>:<port>` */
  get url(): string {
    return this.#server.url;
  }

  /** To be put into the account's API address. */
  get apiUrl(): string {
    return `${this.url}/v2`;
  }

  /** Puts a recording into the account without announcing it. */
  addRecording(overrides: Partial<StandInRecording> = {}): StandInRecording {
    return this.#shelf.add(overrides, this.#clock());
  }

  /**
   * Puts the text of a recording into the account without announcing it.
   *
   * @param recordingId of any recording, also of one that is gone
   */
  addTranscription(recordingId: string, overrides: Partial<StandInTranscription> = {}): StandInTranscription {
    return this.#transcriptions.add(recordingId, overrides, this.#clock());
  }

  /** All recordings of the account, newest first, as they are listed. */
  get recordings(): StandInRecording[] {
    return this.#shelf.all();
  }

  /** The files that a complete copy of a recording consists of. */
  expectedFiles(recording: StandInRecording): ExpectedFile[] {
    return recording.formats.map((format) => {
      const { size, sha256 } = mediaOf(recording, format);
      return { recordingId: recording.id, format, size, sha256 };
    });
  }

  /** A fresh link to a recording's file, or null when it does not have that format. */
  link(recording: StandInRecording, format: MediaFormat): string | null {
    const file = this.#shelf.files(recording).find((candidate) => candidate.format === format);
    return file ? this.#linkTo(file) : null;
  }

  /**
   * Makes a delivery, and the recording that it announces.
   *
   * @param name event type as in the catalogue
   * @param overrides fixed properties of the recording; ignored for events without one
   * @throws Error when the catalogue does not have the event
   */
  sample(name: string, overrides: Partial<StandInRecording> = {}): SampleDelivery {
    const { recording } = sampleKind(name);
    const now = new Date(this.#clock());
    if (recording === undefined) return sampleDelivery(name, now, null);
    const kept = this.addRecording({ ...recording, ...overrides });
    return sampleDelivery(name, now, { kept, link: (format) => this.link(kept, format) });
  }

  /** Signs and sends a delivery about a meeting with the secret of its session; see `deliver`. */
  deliverMeeting(
    meeting: StandInMeeting,
    event: MeetingEvent,
    to: string,
    options: Partial<DeliverOptions> = {}
  ): Promise<DeliveryReport> {
    const sample = meetingDelivery(meeting, event, this.#clock());
    return deliver(sample, {
      to,
      key: meetingKey(meeting),
      habits: TELNYX_HABITS,
      clock: this.#clock,
      ...options
    });
  }

  /** The recordings that a complete copy of a meeting consists of, without its texts. */
  expectedOfMeeting(meeting: StandInMeeting): ExpectedFile[] {
    return meeting.types.map((type) => {
      const { size, sha256 } = meetingMedia(meeting, type);
      return { recordingId: meeting.id, format: 'mp4', size, sha256 };
    });
  }

  /** Signs and sends a delivery; see `deliver`. */
  async deliver(
    sample: SampleDelivery,
    to: string,
    options: Partial<DeliverOptions> = {}
  ): Promise<DeliveryReport> {
    const startedAt = this.#clock();
    const report = await deliver(sample, {
      to,
      key: this.key,
      habits: TELNYX_HABITS,
      clock: this.#clock,
      ...options
    });
    this.deliveries.add(sample, to, report, startedAt);
    return report;
  }

  /**
   * Notes a delivery that never arrives: no attempt got a connection.
   *
   * @param at of its first attempt. Milliseconds since 1970; default: now
   */
  lose(sample: Pick<SampleDelivery, 'body' | 'contentType'>, to: string, at = this.#clock()): void {
    const last = { status: null, problem: 'lost on purpose', milliseconds: 0 };
    this.deliveries.add(sample, to, { accepted: false, attempts: [last, last], last }, at);
  }

  /** How often the last byte of a file of the recording was sent. */
  downloads(recording: StandInRecording): number {
    return this.#downloads.of(recording.id);
  }

  /**
   * Resolves when a file of the recording has been fetched to its end.
   *
   * @throws Error `AbortError` when the signal fires first
   */
  async downloaded(recording: StandInRecording, signal: AbortSignal): Promise<void> {
    await this.#downloads.first(recording.id, signal);
  }

  #linkTo(file: ShelvedFile): string {
    return this.#sign(file.path);
  }

  #sign(path: string): string {
    return this.url + this.#links.sign(path, this.#options.linkSeconds ?? 600);
  }

  #tellKey(request: IncomingMessage, response: ServerResponse, access: ApiAccess): void {
    this.#keyQuestions += 1;
    if (!isAdmitted(request, response, access)) return;
    const { publicKey } = this.#key;
    sendJson(response, 200, {
      data: { record_type: 'public_key', organization_id: ORGANIZATION, public: publicKey }
    });
  }

  #meetingAt(path: string): ServedFile | undefined {
    const found = this.meetings.mediaAt(path);
    if (found === undefined) return undefined;
    const { media, meeting } = found;
    return { media, lastModified: meeting.joinedAt, onDownloaded: () => this.#downloads.add(meeting.id) };
  }

  #createServer(access: ApiAccess): LocalServer {
    const { fault = 'none' } = this.#options;
    const api = new RecordingsApi({ ...access, shelf: this.#shelf, link: (file) => this.#linkTo(file) });
    const media = new MediaServer({
      fileAt: (path) => {
        const file = this.#shelf.fileAt(path);
        if (file === undefined) return this.#meetingAt(path);
        const { recording, format } = file;
        const onDownloaded = (): void => this.#downloads.add(recording.id);
        return { media: mediaOf(recording, format), lastModified: recording.createdAt, onDownloaded };
      },
      links: this.#links,
      fault
    });
    return new LocalServer(this.#options, (request, url, response) => {
      if (url.pathname === '/v2/public_key') this.#tellKey(request, response, access);
      else if (url.pathname.startsWith('/v2/webhook_deliveries'))
        this.deliveries.handle(request, url, response);
      else if (url.pathname.startsWith('/v2/recording_transcriptions'))
        this.#transcriptions.handle(request, url, response);
      else if (this.webhooks.handles(url.pathname)) void this.webhooks.handle(request, url, response);
      else if (url.pathname.startsWith('/v2/meeting_sessions')) this.meetings.handle(request, url, response);
      else if (url.pathname.startsWith('/v2/')) api.handle(request, url, response);
      else void media.handle(request, url, response);
    });
  }
}
