import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { account, node, tab } from '../support/flows';
import { localServer, wav, type LocalServer } from '../support/media';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';

/** A download node in the test helper's Node-RED, a server with recordings, and directories for both. */
export class DownloadStage {
  readonly bytes = wav({ seconds: 2, channels: 2 });
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    this.sendAll(response);

  /** Default: the same server. */
  apiUrl: string | undefined;
  /** Known once a flow is loaded. */
  RED!: NodeRedApi;

  private constructor(
    readonly folder: string,
    readonly userDir: string,
    readonly media: LocalServer
  ) {}

  static async create(): Promise<DownloadStage> {
    const [folder, userDir] = await Promise.all(
      ['telnyx-download-', 'telnyx-user-dir-'].map((name) => mkdtemp(path.join(tmpdir(), name)))
    );
    let stage: DownloadStage | undefined = undefined as DownloadStage | undefined;
    const media = await localServer((request, response) => stage?.answer(request, response));
    stage = new DownloadStage(folder!, userDir!, media);
    return stage;
  }

  sendAll(response: ServerResponse): void {
    const { bytes } = this;
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
  }

  /** Loads a flow of one download node per list of properties: `download`, `download2`, … */
  async start(...properties: object[]): Promise<void> {
    nodeHelper.settings({ userDir: this.userDir });
    const downloads = (properties.length === 0 ? [{}] : properties).map((own, index) =>
      node(index === 0 ? 'download' : `download${index + 1}`, 'telnyx-recording-download', {
        account: 'account',
        folder: this.folder,
        network: 'any',
        retries: '0',
        wires: [['stored']],
        ...own
      })
    );
    await nodeHelper.load(
      [(RED: NodeRedApi) => void (this.RED = RED), telnyxAccount, recordingDownload],
      [
        tab(),
        account({ apiUrl: this.apiUrl ?? `${this.media.url}/v2` }),
        ...downloads,
        node('stored', 'helper'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'helper')
      ]
    );
  }

  /** The next messages that reach a node, in order. */
  next(id: 'stored' | 'caught', count = 1): Promise<TestMessage[]> {
    return new Promise((resolve) => {
      const messages: TestMessage[] = [];
      const target = loadedNode(id);
      const take = (message: TestMessage): void => {
        messages.push(message);
        if (messages.length < count) return;
        target.removeListener('input', take);
        resolve(messages);
      };
      target.on('input', take);
    });
  }

  /** A message like that of the webhook node for a saved recording. */
  saved(name = 'rec-1', more: object = {}): TestMessage {
    const payload = {
      recording_id: name,
      channels: 'dual',
      recording_started_at: '2026-03-04T09:15:02.118204Z',
      recording_urls: { wav: `${this.media.url}/${name}.wav?X-Amz-Signature=geheim` }
    };
    const event = {
      provider: 'telnyx',
      event_type: 'call.recording.saved',
      id: `event of ${name}`,
      body: { data: { payload } }
    };
    return { _msgid: name, topic: 'call.recording.saved', event, payload, ...more };
  }

  /** The sorted names of all files in the folder, including hidden ones. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  async remove(): Promise<void> {
    await nodeHelper.unload();
    await this.media.close();
    for (const directory of [this.folder, this.userDir])
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
