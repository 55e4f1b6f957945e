import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import dailyAccount from '../../nodes/daily-account';
import telnyxAccount from '../../nodes/telnyx-account';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import telnyxBucket from '../../nodes/telnyx-bucket';
import telnyxQueue from '../../nodes/telnyx-queue';
import recordingDownload from '../../nodes/telnyx-recording-download';
import recordingList from '../../nodes/telnyx-recording-list';
import type { FlowNode } from '../support/node-red-process';
import { account, node, tab } from '../support/flows';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';
import { until } from '../support/until';

export type SummaryPayload = Record<string, unknown> & {
  verify?: object;
  rebuild?: object;
  errors: { code: string; message: string }[];
};

export interface Run {
  summary: SummaryPayload | null;
  error: { code?: string; message: string } | null;
  completed: boolean;
}

/** A list node `list` with a download node `download` behind it, in a user directory of its own. */
export class ListStage {
  #sent = 0;
  /** Known once a flow is loaded. */
  RED!: NodeRedApi;

  private constructor(
    readonly folder: string,
    readonly userDir: string
  ) {}

  static async make(): Promise<ListStage> {
    const [folder, userDir] = (await Promise.all(
      ['telnyx-list-', 'telnyx-user-dir-'].map((name) => mkdtemp(path.join(tmpdir(), name)))
    )) as [string, string];
    nodeHelper.settings({ userDir });
    return new ListStage(folder, userDir);
  }

  async unload(): Promise<void> {
    await nodeHelper.unload();
  }

  async remove(): Promise<void> {
    await this.unload();
    for (const directory of [this.folder, this.userDir])
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }

  /** The flow; `download` changes the download node. */
  flow(
    apiUrl: string,
    properties: object = {},
    { wires = [['download'], ['summary']], download = {} }: { wires?: string[][]; download?: object } = {}
  ): FlowNode[] {
    return [
      tab(),
      account({ apiUrl }),
      node('list', 'telnyx-recording-list', { account: 'account', wires, ...properties }),
      node('download', 'telnyx-recording-download', {
        account: 'account',
        folder: this.folder,
        network: 'any',
        filename: '{{year}}/{{recording_id}}.{{ext}}',
        retries: '0',
        wires: [['stored']],
        ...download
      }),
      node('stored', 'helper'),
      node('summary', 'helper'),
      node('catch', 'catch', { scope: null, wires: [['caught']] }),
      node('caught', 'helper'),
      node('complete', 'complete', { scope: ['list', 'list-2'], wires: [['completed']] }),
      node('completed', 'helper')
    ];
  }

  async load(flow: object[], credentials: object = {}): Promise<void> {
    await nodeHelper.load(
      [
        (RED) => (this.RED = RED),
        ...[telnyxAccount, dailyAccount, telnyxBucket, telnyxQueue, recordingDownload, recordingList]
      ],
      flow,
      credentials
    );
  }

  /** Sends a message and waits until the node is done with it. */
  async run(message: TestMessage = {}, id = 'list'): Promise<Run> {
    const _msgid = `run-${++this.#sent}`;
    const result: Run = { summary: null, error: null, completed: false };
    await new Promise<void>((resolve) => {
      loadedNode('summary').on('input', (summary: TestMessage) => {
        if (summary['_msgid'] === _msgid) result.summary = summary['payload'] as SummaryPayload;
      });
      loadedNode('completed').on('input', (done: TestMessage) => {
        if (done['_msgid'] !== _msgid) return;
        result.completed = true;
        resolve();
      });
      loadedNode('caught').on('input', (caught: TestMessage) => {
        const error = caught['error'] as NonNullable<Run['error']> & { source?: { id: string } };
        if (caught['_msgid'] !== _msgid || error.source?.id !== id) return;
        result.error = error;
        resolve();
      });
      loadedNode(id).receive({ ...message, _msgid });
    });
    // The summary is on its way when `done` is called.
    await new Promise((resolve) => setImmediate(resolve));
    return result;
  }

  /** Collects what a node receives from now on. */
  messages(id: string): TestMessage[] {
    const received: TestMessage[] = [];
    loadedNode(id).on('input', (message: TestMessage) => received.push(message));
    return received;
  }

  storedAll(received: TestMessage[], count: number): Promise<true> {
    return until(`${count} messages`, () => (received.length >= count ? true : undefined));
  }

  /** Names of the files in the archive, without hidden folders. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('.telnyx-partial'))
      .map(({ name }) => name)
      .sort();
  }
}
