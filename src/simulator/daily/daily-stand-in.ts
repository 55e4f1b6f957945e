import { randomBytes } from 'node:crypto';
import { DailyRecordingsApi } from './daily-api';
import { DAILY_KINDS, dailyBody } from './daily-events';
import { DAILY_HABITS, DailySecret } from './daily-secret';
import { DailyWebhooksApi } from './daily-webhooks-api';
import { dailyMediaOf, type DailyRecording, DailyShelf, pathOf, sidePathOf } from './daily-shelf';
import { sideFileOf } from './daily-texts';
import { type DailyText, DailyTextsApi } from './daily-texts-api';
import { deliver, type DeliverOptions, type DeliveryReport } from '../deliver';
import { DownloadCounts } from '../download-counts';
import { LocalServer, type LocalServerOptions } from '../local-server';
import { type MediaFault, MediaServer, type ServedFile } from '../media/media-server';
import { RequestLimit, type RequestLimitOptions } from '../request-limit';
import { sampleKind } from '../telnyx/sample-catalogue';
import type { SampleDelivery } from '../telnyx/sample-delivery';
import { type Clock, SignedLinks } from '../signed-links';
import type { ExpectedFile } from '../stand-in';

export interface DailyStandInOptions extends LocalServerOptions {
  /** Default: a new secret. */
  secret?: DailySecret;
  /** The key that the API expects. Default: random. */
  apiKey?: string;
  /** Default: the system's clock. */
  clock?: Clock;
  /** Default: no limit. */
  apiLimit?: RequestLimitOptions;
  /** Default `none`. */
  fault?: MediaFault;
}

/** How long links to texts work. */
const LINK_SECONDS = 3600;

/** A made-up event of Daily, ready to be signed and sent. */
export type DailySample = Omit<SampleDelivery, 'recording'> & {
  recording: DailyRecording | DailyText | null;
};

/**
 * A local stand-in for Daily: signs and delivers events with its own secret, gives links to the
 * recordings that they announce, serves their media, and answers for its webhooks.
 */
export class DailyStandIn {
  readonly secret: DailySecret;
  readonly apiKey: string;
  /** The webhooks of the domain. */
  readonly webhooks: DailyWebhooksApi;
  readonly #clock: Clock;
  readonly #links: SignedLinks;
  readonly #shelf = new DailyShelf();
  readonly #texts: DailyTextsApi;
  readonly #downloads = new DownloadCounts();
  readonly #server: LocalServer;

  constructor(options: DailyStandInOptions = {}) {
    this.#clock = options.clock ?? Date.now;
    this.#links = new SignedLinks(this.#clock);
    this.webhooks = new DailyWebhooksApi(this.#clock);
    this.#texts = new DailyTextsApi({ link: (path) => this.url + this.#links.sign(path, LINK_SECONDS) });
    this.secret = options.secret ?? new DailySecret();
    this.apiKey = options.apiKey ?? randomBytes(32).toString('hex');
    this.#server = this.#createServer(options);
  }

  /** Starts listening; see `LocalServer.start`. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** Stops listening and cuts off what is still being sent. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** `http://<host>:<port>` */
  get url(): string {
    return this.#server.url;
  }

  /** To be put into the account's API address. */
  get apiUrl(): string {
    return `${this.url}/v1`;
  }

  /** Puts a recording into the domain without announcing it. */
  addRecording(overrides: Partial<DailyRecording> = {}): DailyRecording {
    return this.#shelf.add(overrides, this.#clock());
  }

  /** Puts a transcript or a finished batch job into the domain without announcing it. */
  addText(kind: DailyText['kind'], overrides: Partial<DailyText> = {}): DailyText {
    return this.#texts.add(kind, overrides, this.#clock());
  }

  /** The files that a complete copy of a recording, a transcript or a job consists of, side files last. */
  expectedFiles(recording: DailyRecording | DailyText): ExpectedFile[] {
    const { id: recordingId } = recording;
    const isText = 'kind' in recording;
    const texts = isText
      ? this.#texts.filesOf(recording)
      : recording.dataOutputs.map((name) => sideFileOf(name, recording));
    const files = texts.map(({ track, format, media: { size, sha256 } }): ExpectedFile => ({
      recordingId,
      format,
      track,
      size,
      sha256
    }));
    if (isText) return files;
    const { size, sha256 } = dailyMediaOf(recording);
    return [{ recordingId, format: 'mp4', size, sha256 }, ...files];
  }

  /**
   * Makes a delivery, and the recording that it announces.
   *
   * @param name event type
   * @param overrides fixed properties of the recording or text
   * @throws Error that lists the known events
   */
  sample(name: string, overrides: Partial<DailyRecording> & Partial<DailyText> = {}): DailySample {
    const kind = sampleKind(name, DAILY_KINDS);
    const now = this.#clock();
    const of = kind.announces;
    const text = of === 'transcript' || of === 'job' ? this.addText(of, overrides) : null;
    const announces = of === 'recording';
    const recording = announces ? this.addRecording(overrides) : new DailyShelf().add(overrides, now);
    const body = dailyBody(kind, { now, recording, ...(text !== null && { text }) });
    return {
      name,
      contentType: 'application/json',
      recording: announces ? recording : text,
      body: () => body
    };
  }

  /** Signs and sends a delivery; see `deliver`. */
  deliver(
    sample: Pick<SampleDelivery, 'body' | 'contentType'>,
    to: string,
    options: Partial<DeliverOptions> = {}
  ): Promise<DeliveryReport> {
    return deliver(sample, { to, key: this.secret, habits: DAILY_HABITS, clock: this.#clock, ...options });
  }

  /** How often the last byte of the file of a recording was sent. */
  downloads({ id }: { id: string }): number {
    return this.#downloads.of(id);
  }

  /**
   * Resolves when the file of a recording has been fetched to its end.
   *
   * @throws Error `AbortError` when the signal fires first
   */
  downloaded({ id }: { id: string }, signal: AbortSignal): Promise<void> {
    return this.#downloads.first(id, signal);
  }

  #textAt(path: string): ServedFile | undefined {
    const media = this.#shelf.sideFileAt(path)?.media;
    if (media !== undefined) return { media, lastModified: 0, onDownloaded: () => undefined };
    const found = this.#texts.at(path);
    if (found === undefined) return undefined;
    const { text, file } = found;
    return {
      media: file.media,
      lastModified: text.startedAt,
      onDownloaded: () => this.#downloads.add(text.id)
    };
  }

  #createServer(options: DailyStandInOptions): LocalServer {
    const { apiLimit, fault = 'none' } = options;
    const api = new DailyRecordingsApi({
      shelf: this.#shelf,
      webhooks: this.webhooks,
      texts: this.#texts,
      apiKey: this.apiKey,
      clock: this.#clock,
      link: (recording, seconds) => this.url + this.#links.sign(pathOf(recording), seconds),
      sideLink: (recording, name) => this.url + this.#links.sign(sidePathOf(recording, name), LINK_SECONDS),
      ...(apiLimit && { limit: new RequestLimit(apiLimit, this.#clock) })
    });
    const media = new MediaServer({
      fileAt: (path) => {
        const recording = this.#shelf.at(path);
        if (recording === undefined) return this.#textAt(path);
        const onDownloaded = (): void => this.#downloads.add(recording.id);
        const lastModified = recording.startedAt + recording.seconds * 1000;
        return { media: dailyMediaOf(recording), lastModified, onDownloaded };
      },
      links: this.#links,
      fault
    });
    return new LocalServer(options, (request, url, response) => {
      if (url.pathname.startsWith('/v1/')) api.handle(request, url, response);
      else void media.handle(request, url, response);
    });
  }
}
