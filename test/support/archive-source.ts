import type { IncomingMessage, ServerResponse } from 'node:http';
import { dailyAccount, DAILY_HMAC, dailyDelivery, dailyWebhookIn } from './daily';
import { DAILY_API_KEY, json } from './daily-server';
import { type Delivery, jsonDelivery } from './deliveries';
import { account, recorder, tab, webhookIn } from './flows';
import { mp4, wav } from './media';
import type { FlowNode } from './node-red-process';
import { TRUSTED } from './sign';

export const TELNYX_API_KEY = 'made-up-telnyx-api-key-0123456789';

/** The secret in the links of both providers, which must not leak. */
const SIGNED = 'X-Amz-Date=20990101T000000Z&X-Amz-Expires=600&X-Amz-Signature=secret';

/** A recording that a provider announces. */
export interface Announced {
  id: string;
  /** Id of the event; default: derived from that of the recording. */
  event?: string;
  /** The origin of the file, such as `http://127.0.0.1:1234`. */
  storage: string;
}

/** The differences between providers in tests that archive recordings. */
export interface ArchiveSource {
  provider: 'telnyx' | 'daily';
  /** The extension of its files. */
  ext: string;
  contentType: string;
  /** The path of the webhook node. */
  path: string;
  /** The account properties of a download node. */
  download: Record<string, string>;
  /** A recording of about this many bytes. A different seed changes all bytes. */
  file(options: { size: number; seed: number }): Buffer;
  /**
   * The beginning of a flow: tab, account, webhook node, recorder `seen`.
   *
   * @param api the server that simulates the provider's API
   * @param wires the nodes behind the webhook node, which reply to deliveries
   */
  nodes(api: string, wires: string[]): FlowNode[];
  delivery(announced: Announced): Delivery;
  /**
   * Answers like the provider's API.
   *
   * @param storage the origin of the files; default: that of the API
   * @returns false when the request is not for the API
   */
  answerApi(request: IncomingMessage, response: ServerResponse, storage?: string): boolean;
}

/** The id of the recording whose file is requested. */
export function idInLink({ url = '' }: IncomingMessage): string {
  return /^\/([^/?]+)\.\w+(\?|$)/.exec(url)?.[1] ?? '';
}

function ownAddress({ headers }: IncomingMessage): string {
  return `http://${headers.host}`;
}

/** Telnyx without an API key: the event is enough, as long as its link works. */
export const TELNYX: ArchiveSource = {
  provider: 'telnyx',
  ext: 'wav',
  contentType: 'audio/wav',
  path: '/telnyx',
  download: { account: 'account', dailyAccount: '' },
  // 16,000 bytes a second.
  file: ({ size, seed }) => wav({ seconds: Math.ceil(size / 16_000), seed }),
  nodes: (_api, wires) => [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    webhookIn({ reply: 'flow', wires: [wires] }),
    ...recorder()
  ],
  delivery: ({ id, event, storage }) =>
    jsonDelivery(
      JSON.stringify({
        data: {
          record_type: 'event',
          event_type: 'call.recording.saved',
          id: event ?? `event of ${id}`,
          occurred_at: '2026-05-06T07:08:09.100Z',
          payload: {
            recording_id: id,
            recording_started_at: '2026-05-06T07:00:00Z',
            recording_urls: { wav: `${storage}/${id}.wav?${SIGNED}` }
          }
        }
      })
    ),
  answerApi: () => false
};

/** Telnyx with an API key, and so with fresh links. */
export const TELNYX_WITH_KEY: ArchiveSource = {
  ...TELNYX,
  nodes: (api, wires) => [
    tab(),
    account({
      publicKeys: TRUSTED.publicKey,
      apiUrl: `${api}/v2`,
      credentials: { apiKey: TELNYX_API_KEY }
    }),
    webhookIn({ reply: 'flow', wires: [wires] }),
    ...recorder()
  ],
  answerApi: (request, response, storage = ownAddress(request)) => {
    const id = /^\/v2\/recordings\/([^/?]+)$/.exec(request.url ?? '')?.[1];
    if (id === undefined) return false;
    if (request.headers.authorization !== `Bearer ${TELNYX_API_KEY}`)
      json(response, 401, { errors: [{ code: '10009', title: 'Authentication failed' }] });
    else
      json(response, 200, {
        data: {
          record_type: 'recording',
          id,
          status: 'completed',
          channels: 'single',
          download_urls: { wav: `${storage}/${id}.wav?${SIGNED}` }
        }
      });
    return true;
  }
};

/** Daily, whose links come only from its API. */
export const DAILY: ArchiveSource = {
  provider: 'daily',
  ext: 'mp4',
  contentType: 'video/mp4',
  path: '/daily',
  download: { account: '', dailyAccount: 'daily' },
  file: mp4,
  nodes: (api, wires) => [
    tab(),
    dailyAccount({ apiUrl: `${api}/v1`, credentials: { hmac: DAILY_HMAC, apiKey: DAILY_API_KEY } }),
    dailyWebhookIn({ reply: 'flow', wires: [wires] }),
    ...recorder()
  ],
  delivery: ({ id, event }) =>
    dailyDelivery(
      JSON.stringify({
        version: '1.0.0',
        type: 'recording.ready-to-download',
        id: event ?? `event of ${id}`,
        payload: {
          type: 'cloud',
          recording_id: id,
          start_ts: Date.UTC(2026, 4, 6, 7) / 1000,
          status: 'finished',
          duration: 80,
          s3_key: `made-up/${id}`,
          tracks: null
        },
        event_ts: Date.UTC(2026, 4, 6, 7, 8) / 1000
      })
    ),
  answerApi: (request, response, storage = ownAddress(request)) => {
    const [, id, link] = /^\/v1\/recordings\/([^/?]+)(\/access-link)?/.exec(request.url ?? '') ?? [];
    if (id === undefined) return false;
    const download_link = `${storage}/${id}.mp4?${SIGNED}`;
    if (request.headers.authorization !== `Bearer ${DAILY_API_KEY}`)
      json(response, 401, { error: 'authentication-error' });
    else if (link === undefined) json(response, 200, { id, room_name: 'from the API', max_participants: 2 });
    else json(response, 200, { download_link, expires: 4_000_000_000 });
    return true;
  }
};
