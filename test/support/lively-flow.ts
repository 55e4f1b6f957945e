import type { IncomingMessage, ServerResponse } from 'node:http';
import { ALL_DIALOGS } from './all-dialogs';
import { type Delivery, holdEvent, jsonDelivery } from './deliveries';
import { account, node, webhookIn } from './flows';
import { type LocalServer, localServer, wav } from './media';
import type { FlowNode, NodeRedProcess } from './node-red-process';
import { STRANGER, TRUSTED } from './sign';

const BYTES = wav({ seconds: 20, seed: 11 });
const SPOKEN = 'Good morning. This call is recorded. I would like to order two boxes, please.';

/** One node of each type, and a webhook that stores recordings, so that every part of the sidebar has something to show. */
export const LIVELY_FLOW: FlowNode[] = [
  ...ALL_DIALOGS,
  { ...account({ publicKeys: TRUSTED.publicKey, name: 'Calls' }), id: 'live-account' },
  {
    ...webhookIn({ account: 'live-account', path: '/live', name: 'Calls of the night shift' }),
    ...{ id: 'live', x: 200, y: 600, wires: [['live-archive']] }
  },
  node('live-archive', 'telnyx-recording-download', {
    ...{ account: 'live-account', dailyAccount: '', destination: 'folder', folder: 'archive' },
    ...{ filename: '{{recording_id}}.{{ext}}', format: 'any', network: 'any', sidecar: true, retries: 8 },
    ...{ x: 460, y: 600, wires: [['seen']] }
  }),
  {
    ...webhookIn({ account: 'live-account', path: '/once', name: 'Once' }),
    ...{ id: 'once', x: 200, y: 660, wires: [['once-archive']] }
  },
  node('once-archive', 'telnyx-recording-download', {
    ...{ account: 'live-account', dailyAccount: '', destination: 'folder', folder: 'archive' },
    ...{ filename: '{{recording_id}}.{{ext}}', format: 'any', network: 'any', retries: 0 },
    ...{ x: 460, y: 660, wires: [['seen']] }
  })
];

/** What happens to the nodes of `LIVELY_FLOW`. */
export class LivelyTelephone {
  readonly #media: LocalServer;
  readonly #nodeRed: NodeRedProcess;

  private constructor(media: LocalServer, nodeRed: NodeRedProcess) {
    this.#media = media;
    this.#nodeRed = nodeRed;
  }

  /**
   * Sends deliveries of every kind: stored with and without a text, failed, waiting, half downloaded, repeated, refused. Resolves
   * when two recordings are stored.
   */
  static async call(nodeRed: NodeRedProcess): Promise<LivelyTelephone> {
    const phone = new LivelyTelephone(await localServer(serve), nodeRed);
    try {
      await phone.#call();
    } catch (error) {
      await phone.end();
      throw error;
    }
    return phone;
  }

  async #call(): Promise<void> {
    const { url } = this.#media;
    await this.#post(saved('rec-good', `${url}/good.wav`));
    await this.#nodeRed.messages(1);
    await this.#post(spoken('rec-good'));
    await this.#nodeRed.messages(2);
    const repeated = jsonDelivery(holdEvent('repeated'));
    await this.#post(repeated);
    await this.#post(repeated);
    await this.#post(jsonDelivery(holdEvent('forged'), { key: STRANGER }));
    await this.#post(saved('rec-lost', `${url}/lost.wav`), '/once');
    await this.#post(saved('rec-busy', `${url}/busy.wav`));
    await this.#post(saved('rec-slow', `${url}/slow.wav`));
  }

  async end(): Promise<void> {
    await this.#media.close();
  }

  async #post({ body, headers }: Delivery, where = '/live'): Promise<void> {
    const address = new URL(this.#nodeRed.nodePath(where), this.#nodeRed.url);
    const response = await fetch(address, { method: 'POST', body: Uint8Array.from(body), headers });
    await response.arrayBuffer();
  }
}

function serve({ url = '' }: IncomingMessage, response: ServerResponse): void {
  if (url.startsWith('/busy')) response.writeHead(503).end();
  else if (url.startsWith('/lost')) response.writeHead(404).end();
  else {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length });
    if (url.startsWith('/slow')) drip(response);
    else response.end(BYTES);
  }
}

/** Sends half a file at once and the rest for a quarter of an hour, so that its progress stays in sight. */
function drip(response: ServerResponse): void {
  let sent = BYTES.length / 2;
  response.write(BYTES.subarray(0, sent));
  const timer = setInterval(() => response.write(BYTES.subarray(sent, (sent += 150))), 1000);
  response.once('close', () => clearInterval(timer));
}

function event(type: string, id: string, payload: object): Delivery {
  const occurred_at = new Date().toISOString();
  const data = { record_type: 'event', event_type: type, id: `${type} ${id}`, occurred_at, payload };
  return jsonDelivery(JSON.stringify({ data }));
}

function saved(id: string, link: string): Delivery {
  return event('call.recording.saved', id, {
    ...{ recording_id: id, channels: 'dual', from: '+15550100123', to: '+15550100101' },
    ...{ call_session_id: '66666666-7777-4888-8999-000000000000', recording_urls: { wav: link } }
  });
}

function spoken(id: string): Delivery {
  return event('call.recording.transcription.saved', id, {
    ...{ recording_id: id, recording_transcription_id: `text-of-${id}`, transcription_text: SPOKEN },
    status: 'completed'
  });
}
