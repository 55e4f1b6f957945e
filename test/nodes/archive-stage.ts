import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxArchive from '../../nodes/telnyx-archive';
import telnyxBucket from '../../nodes/telnyx-bucket';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { account, node, tab } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';
import type { FlowNode } from '../support/node-red-process';

export interface ArchiveRun {
  /** Null: nothing was sent. */
  payload: Record<string, unknown> | null;
  error: { code?: string; message: string } | null;
}

const BYTES = wav({ seconds: 1, channels: 1 });

/** A download node `download` and an archive node `archive` in a user directory of their own. */
export class ArchiveStage {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'telnyx-archive-'));
  readonly folder = path.join(this.directory, 'calls');
  readonly userDir = path.join(this.directory, 'user');
  readonly custody = path.join(this.userDir, 'telnyx', 'custody');
  media: LocalServer | undefined;
  RED!: NodeRedApi;
  #sent = 0;
  /** What is done with a message, by its id and the node that it reaches. */
  readonly #waiting = new Map<unknown, Partial<Record<string, (message: TestMessage) => void>>>();

  async load(
    archive: object = {},
    more: { download?: object; nodes?: FlowNode[]; credentials?: object } = {}
  ): Promise<void> {
    const media = (this.media ??= await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length }).end(BYTES);
    }));
    nodeHelper.settings({ userDir: this.userDir });
    await nodeHelper.load(
      [(RED) => (this.RED = RED), telnyxAccount, telnyxBucket, recordingDownload, telnyxArchive],
      [
        tab(),
        account({ apiUrl: `${media.url}/v2` }),
        node('download', 'telnyx-recording-download', {
          ...{ account: 'account', folder: this.folder, network: 'any', retries: '0' },
          ...{ filename: '{{recording_id}}.{{ext}}', wires: [['stored']], ...more.download }
        }),
        node('stored', 'helper'),
        node('archive', 'telnyx-archive', { action: 'find', wires: [['result']], ...archive }),
        node('result', 'helper'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'helper'),
        node('complete', 'complete', { scope: ['archive'], wires: [['completed']] }),
        node('completed', 'helper'),
        ...(more.nodes ?? [])
      ],
      more.credentials
    );
    for (const id of ['stored', 'result', 'completed', 'caught'])
      loadedNode(id).on('input', (seen: TestMessage) => this.#waiting.get(seen['_msgid'])?.[id]?.(seen));
  }

  async remove(): Promise<void> {
    await nodeHelper.unload();
    await this.media?.close();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Stores a recording. @param days after which it is deleted, counted from its start in March 2026; null: no date */
  async store(id: string, days: number | null = 1, more: object = {}): Promise<TestMessage> {
    const payload = {
      ...{ recording_id: id, from: '+15550100199', to: '+15550100', call_session_id: `session ${id}` },
      recording_started_at: '2026-03-04T09:15:02.118Z',
      recording_urls: { wav: `${this.media?.url ?? ''}/${id}.wav` },
      ...more
    };
    const event = {
      provider: 'telnyx',
      event_type: 'call.recording.saved',
      id: `event of ${id}`,
      body: { data: { payload } }
    };
    const message = {
      topic: 'call.recording.saved',
      event,
      payload,
      ...(days !== null && { retention: { deleteAfter: days } })
    };
    const _msgid = `store ${id}`;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(_msgid, {
        stored: resolve,
        caught: ({ error }) => reject(new Error((error as Error).message))
      });
      loadedNode('download').receive({ _msgid, ...message });
    });
  }

  /** Sends a message to the archive node and waits until it is done with it. */
  async ask(message: TestMessage): Promise<ArchiveRun> {
    const _msgid = `ask-${++this.#sent}`;
    const run: ArchiveRun = { payload: null, error: null };
    await new Promise<void>((resolve) => {
      this.#waiting.set(_msgid, {
        result: ({ payload }) => (run.payload = payload as Record<string, unknown>),
        completed: () => resolve(),
        caught: ({ error }) => {
          run.error = error as ArchiveRun['error'];
          resolve();
        }
      });
      loadedNode('archive').receive({ _msgid, ...message });
    });
    // The result is on its way when `done` is called.
    await new Promise((resolve) => setImmediate(resolve));
    return run;
  }
}
