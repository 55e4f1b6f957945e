import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SigningKey } from '../../src/simulator/signing-key';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { jsonDelivery } from '../support/deliveries';
import { exchange } from '../support/http-client';
import { type LocalServer, localServer } from '../support/media';
import { type SigningKey as Key, signingKey } from '../support/sign';
import { until } from '../support/until';
import { conversation } from './voice';

/** Of the key that signs in pictures: always the same one, because a status shows its beginning. */
const SEED = 0x33;
const KEY = signingKey(SEED);

/** One made-up call, which ends now. */
export interface Call {
  /** The end of the caller's number: 42 for +1 555 010 0142. */
  caller: number;
  /** How long it was, in seconds. */
  seconds: number;
  /** How its recording is served. `held`: as far as `serve` says; `gone`: not any more; `busy`: later.
   * Default: at once. */
  served?: 'held' | 'gone' | 'busy';
}

/** Calls that nobody made, delivered as by Telnyx, with recordings that look like speech. */
export class Calls {
  readonly telnyx: TelnyxStandIn;
  /** The time that the Node-RED in the picture has; milliseconds since 1970. */
  now: () => number = Date.now;
  readonly #files = new Map<string, Buffer>();
  /** Answers of recordings that are held. */
  readonly #held = new Map<string, { response: ServerResponse; sent: number }>();
  #media: LocalServer | undefined;
  #ids = 0;

  private constructor() {
    this.telnyx = new TelnyxStandIn({
      clock: () => this.now(),
      key: new SigningKey(new Uint8Array(32).fill(SEED)),
      apiKey: 'KEY-made-up-for-pictures'
    });
  }

  static async open(): Promise<Calls> {
    const calls = new Calls();
    await calls.telnyx.start();
    calls.#media = await localServer((request, response) => calls.#serve(request, response));
    return calls;
  }

  async close(): Promise<void> {
    await this.#media?.close();
    await this.telnyx.stop();
  }

  /** The properties of the account that gets these calls. */
  get account(): Record<string, unknown> {
    const { apiUrl, apiKey } = this.telnyx;
    return { publicKeys: KEY.publicKey, apiUrl, credentials: { apiKey } };
  }

  /** The announcement of a call's recording. */
  recorded({ caller, seconds, served }: Call): { recordingId: string; body: string } {
    const recordingId = this.#id();
    const [startedAt, endedAt] = [this.now() - seconds * 1000, this.now()];
    const call = {
      call_control_id: `v3:${createHash('sha256').update(recordingId).digest('base64url')}`,
      call_leg_id: this.#id(),
      call_session_id: this.#id(),
      connection_id: '2200000000000000017',
      from: numberOf(caller),
      to: numberOf(0)
    };
    if (served !== 'gone') this.#files.set(recordingId, conversation(seconds, this.#ids));
    // The API would give another link.
    if (served === 'held' || served === undefined) {
      this.telnyx.addRecording({
        ...{ id: recordingId, call, seconds, startedAt, formats: ['wav'], channels: 'dual' }
      });
    }
    const body = this.event('call.recording.saved', {
      ...call,
      channels: 'dual',
      recording_id: recordingId,
      recording_started_at: new Date(startedAt).toISOString(),
      recording_ended_at: new Date(endedAt).toISOString(),
      recording_urls: { wav: `${this.#media?.url ?? ''}/${served ?? 'at-once'}/${recordingId}.wav` }
    });
    return { recordingId, body };
  }

  /** The text of a recording. */
  transcribed(recordingId: string, text: string): string {
    return this.event('call.recording.transcription.saved', {
      recording_id: recordingId,
      recording_transcription_id: this.#id(),
      status: 'completed',
      transcription_text: text
    });
  }

  /** Any event, as JSON. */
  event(event_type: string, payload: Readonly<Record<string, unknown>>): string {
    const data = {
      ...{ record_type: 'event', event_type, id: this.#id(), payload },
      occurred_at: new Date(this.now()).toISOString()
    };
    return JSON.stringify({ data, meta: { attempt: 1, delivered_to: 'https://hooks.example.com/telnyx' } });
  }

  /** Signs and sends a delivery to a Node-RED on this machine. */
  async deliver(body: string, to: { port: number; path: string }, key: Key = KEY): Promise<void> {
    const timestamp = Math.floor(this.now() / 1000);
    await exchange(to.port, { method: 'POST', path: to.path, ...jsonDelivery(body, { key, timestamp }) });
  }

  /** Waits until a recording that is held is asked for, and serves it up to a part of it, from 0 to 1. */
  async serve(recordingId: string, part: number): Promise<void> {
    const held = await until(`a request for ${recordingId}`, () => this.#held.get(recordingId), {
      deadline: 60_000
    });
    const file = this.#files.get(recordingId) ?? Buffer.alloc(0);
    const end = Math.round(file.length * part);
    held.response.write(file.subarray(held.sent, end));
    held.sent = end;
    if (part === 1) held.response.end();
  }

  #serve({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const [, served, id = ''] = /^\/([a-z-]+)\/([0-9a-f-]+)\.wav$/.exec(url) ?? [];
    const file = this.#files.get(id);
    if (file === undefined || served === 'busy') response.writeHead(file ? 503 : 404).end();
    else {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length });
      if (served === 'held') this.#held.set(id, { response, sent: 0 });
      else response.end(file);
    }
  }

  /** A UUID; the same ones in each run. */
  #id(): string {
    this.#ids += 1;
    const hex = createHash('sha256').update(`picture ${this.#ids}`).digest('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`]
      .concat(hex.slice(20, 32))
      .join('-');
  }
}

/** A number that is nobody's. */
function numberOf(end: number): string {
  return `+1555010${String(100 + end).padStart(4, '0')}`;
}
