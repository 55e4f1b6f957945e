import path from 'node:path';
import { Child } from '../test/support/child-process';
import { account, config, functionNode, node, tab } from '../test/support/flows';
import { type FlowNode, NodeRedProcess } from '../test/support/node-red-process';

/** Creates messages like the webhook node for `call.recording.saved`, one per recording. */
const ANNOUNCE = `
const { origin, size, count, name, day } = msg.payload;
context.global.set('run', { res: msg.res, left: count });
const announced = (index) => {
  const recording_id = name + '-' + index;
  const payload = {
    call_control_id: 'v3:' + recording_id, call_leg_id: 'leg ' + recording_id,
    call_session_id: 'session ' + recording_id, connection_id: '1893004417265530112',
    channels: 'dual', client_state: null, from: '+12025550101', to: '+12025550102', recording_id,
    recording_started_at: day + 'T07:00:00Z', recording_ended_at: day + 'T07:08:00Z',
    recording_urls: { mp3: null, wav: origin + '/' + recording_id + '?size=' + size },
    public_recording_urls: {}
  };
  const occurred_at = day + 'T07:08:09.100Z';
  const event_type = 'call.recording.saved';
  const id = 'event of ' + recording_id;
  const body = { data: { record_type: 'event', event_type, id, occurred_at, payload }, meta: { attempt: 1 } };
  const event = {
    provider: 'telnyx', event_type, canonical_type: event_type, family: 'call', known: true, shape: 'v2', id,
    record_type: 'event', occurred_at, received_at: occurred_at, attempt: 1, delivered_to: null,
    duplicate: false, verified: 'ed25519', key_index: 0, client_state: null, discriminator: null, body
  };
  return { topic: event_type, payload, event };
};
return [Array.from({ length: count }, (_value, index) => announced(index))];
`;

/** Answers once the last recording is stored, or the first one is given up. */
const COUNT = `
const run = context.global.get('run');
if (run === undefined) return null;
run.left -= 1;
const failed = msg.error !== undefined || msg.recording.already_stored;
if (run.left > 0 && !failed) return null;
context.global.set('run', undefined);
run.res._res.status(failed ? 500 : 200).end(failed ? JSON.stringify(msg.error ?? msg.recording) : '');
return null;
`;

/** The flow of the benches: `POST /run` stores recordings and answers when all are stored. */
function flowOf(download: Record<string, unknown>, more: FlowNode[]): FlowNode[] {
  return [
    tab(),
    account({ publicKeys: '' }),
    node('in', 'http in', { url: '/run', method: 'post', wires: [['announce']] }),
    functionNode('announce', ANNOUNCE, { wires: [['archive']] }),
    node('archive', 'telnyx-recording-download', {
      account: 'account',
      destination: 'folder',
      folder: 'archive',
      format: 'any',
      sidecar: true,
      concurrency: 4,
      retries: 0,
      network: 'any',
      wires: [['count']],
      ...download
    }),
    node('catch', 'catch', { scope: null, uncaught: false, wires: [['count']] }),
    functionNode('count', COUNT),
    ...more
  ];
}

/** A real Node-RED with a download node, and a separate server with recordings. */
export class ArchiveInstance {
  #days = 0;

  private constructor(
    readonly nodeRed: NodeRedProcess,
    private readonly media: Child,
    /** The origin of the recordings. */
    readonly origin: string
  ) {}

  /** @param download settings of the node, in addition to those of a folder */
  static async start(
    download: Record<string, unknown> = {},
    more: FlowNode[] = []
  ): Promise<ArchiveInstance> {
    const media = new Child(path.join(__dirname, 'processes/media-server.mjs'), []);
    try {
      const origin = await addressOf(media);
      const nodeRed = await NodeRedProcess.start({ flow: flowOf(download, more) });
      return new ArchiveInstance(nodeRed, media, origin);
    } catch (error) {
      await media.end();
      throw error;
    }
  }

  /** The archive on disk. */
  get folder(): string {
    return path.join(this.nodeRed.userDir, 'archive');
  }

  /**
   * Stores recordings of one size, all announced at the same time, in a separate folder: each call uses another
   * day. Resolves when the last one is stored.
   *
   * @param name start of the ids of the recordings, which end in `-0`, `-1` …
   */
  async store(name: string, count: number, size: number): Promise<void> {
    const day = new Date(Date.UTC(2026, 0, 1 + this.#days)).toISOString().slice(0, 10);
    this.#days += 1;
    const answer = await fetch(`${this.nodeRed.url}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ origin: this.origin, size, count, name, day })
    });
    if (!answer.ok) throw new Error(`The archive failed: ${await answer.text()}\n${this.nodeRed.log}`);
  }

  async stop(): Promise<void> {
    await this.nodeRed.stop();
    await this.media.end();
  }
}

/** The address of a server that prints its port. */
export async function addressOf(server: Child): Promise<string> {
  const [, port] = await server.waitForOutput(/port (\d+)/);
  return `http://127.0.0.1:${port}`;
}

/** A bucket for `ArchiveInstance.start`, in the form of the editor. */
export function bucketNode(endpoint: string): FlowNode {
  return config('bucket', 'telnyx-bucket', {
    endpoint,
    region: 'us-east-1',
    bucket: 'bench',
    prefix: '',
    forcePathStyle: true,
    sse: '',
    kmsKeyId: '',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' }
  });
}
