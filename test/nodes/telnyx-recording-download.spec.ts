import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { realFileSystem } from '../../src/store/folder/file-system';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import { account, node, tab } from '../support/flows';
import { localServer, sha256, wav, type LocalServer } from '../support/media';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';

interface Outcome {
  messages: TestMessage[];
  error?: { message: string; code?: string };
}

const bytes = wav({ seconds: 2, channels: 2 });

describe('telnyx-recording-download', () => {
  let folder: string;
  let userDir: string;
  let sent = 0;
  let media: LocalServer;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-download-'));
    userDir = await mkdtemp(path.join(tmpdir(), 'telnyx-user-dir-'));
    nodeHelper.settings({ userDir });
    answer = (_request, response) => sendAll(response);
    media = await localServer((request, response) => answer(request, response));
  });

  afterEach(async () => {
    await nodeHelper.unload();
    await media.close();
    for (const directory of [folder, userDir])
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  });

  function sendAll(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
  }

  async function start(properties: object = {}): Promise<void> {
    await nodeHelper.load(
      [telnyxAccount, recordingDownload],
      [
        tab(),
        account({ apiUrl: `${media.url}/v2` }),
        node('download', 'telnyx-recording-download', {
          account: 'account',
          folder,
          network: 'any',
          retries: '0',
          wires: [['stored']],
          ...properties
        }),
        node('stored', 'helper'),
        node('catch', 'catch', { scope: ['download'], wires: [['caught']] }),
        node('caught', 'helper'),
        node('complete', 'complete', { scope: ['download'], wires: [['completed']] }),
        node('completed', 'helper'),
        node('status', 'status', { scope: ['download'], wires: [['shown']] }),
        node('shown', 'helper')
      ]
    );
  }

  /** Sends a message and waits until the node is done with it. */
  function store(message: TestMessage): Promise<Outcome> {
    return new Promise((resolve) => {
      const _msgid = `message-${++sent}`;
      const outcome: Outcome = { messages: [] };
      const finish = (): void => {
        for (const id of ['stored', 'completed', 'caught']) loadedNode(id).removeAllListeners('input');
        resolve(outcome);
      };
      loadedNode('stored').on('input', (stored: TestMessage) => outcome.messages.push(stored));
      loadedNode('completed').once('input', finish);
      loadedNode('caught').on('input', (caught: TestMessage) => {
        // What a node reports at the start also reaches Catch nodes, without the message.
        if (caught['_msgid'] !== _msgid) return;
        outcome.error = caught['error'] as NonNullable<Outcome['error']>;
        finish();
      });
      loadedNode('download').receive({ ...message, _msgid });
    });
  }

  function saved(
    more: object = {},
    urls: object = { wav: `${media.url}/rec.wav?X-Amz-Date=x` }
  ): TestMessage {
    const payload = {
      recording_id: 'rec-1',
      channels: 'dual',
      recording_started_at: '2026-03-04T09:15:02.118204Z',
      recording_urls: urls,
      public_recording_urls: {},
      ...more
    };
    const event = {
      provider: 'telnyx',
      event_type: 'call.recording.saved',
      id: 'evt-1',
      body: { data: { payload } }
    };
    return { topic: 'call.recording.saved', event, payload, kept: 'as it was' };
  }

  function nextMessage(id: string): Promise<TestMessage> {
    return new Promise((resolve) => {
      loadedNode(id).once('input', resolve);
    });
  }

  async function files(): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  it('stores the recording of an event and sends the message with path and details', async () => {
    await start();
    const { messages, error } = await store(saved());
    should(error).be.undefined();
    messages.should.have.length(1);
    const [first] = messages;
    const file = path.join(folder, '2026/03/04/20260304T091502Z_rec-1_dual.wav');
    first!.should.have.properties({ topic: 'call.recording.saved', kept: 'as it was', payload: file });
    first!.should.not.have.property('parts');
    first!['recording']!.should.have.properties({
      recording_id: 'rec-1',
      event_id: 'evt-1',
      sha256: sha256(bytes),
      size: bytes.length,
      destination: 'folder',
      path: file,
      sidecar: `${file}.json`,
      already_stored: false
    });
    (await readFile(file)).equals(bytes).should.be.true();
    const sidecar: unknown = JSON.parse(await readFile(`${file}.json`, 'utf8'));
    should(sidecar).eql(first!['recording']);
  });

  it('stores a repeated event once', async () => {
    await start();
    await store(saved());
    const { messages } = await store(saved());
    messages[0]!['recording']!.should.have.property('already_stored', true);
    (await files()).should.have.length(2);
  });

  it('sends one message per file, as parts of one sequence', async () => {
    await start({ format: 'all', sidecar: false });
    const { messages } = await store(saved({}, { wav: `${media.url}/a.wav`, mp3: `${media.url}/b.mp3` }));
    const parts = messages.map((message) => message['parts'] as { id: string; index: number; count: number });
    parts
      .map(({ index, count }) => [index, count])
      .should.eql([
        [0, 2],
        [1, 2]
      ]);
    parts[0]!.id.should.equal(parts[1]!.id);
  });

  it('stores a recording that a message names by its address, and returns the bytes on request', async () => {
    await start({ destination: 'message' });
    const { messages } = await store({ url: `${media.url}/any.wav` });
    bytes.equals(messages[0]!['payload'] as Buffer).should.be.true();
    messages[0]!['recording']!.should.have.properties({ destination: 'message', sidecar: null });
    (await files()).should.eql([]);
  });

  it('sends a message with nothing to store to the Catch nodes', async () => {
    await start();
    const { messages, error } = await store({
      topic: 'call.hangup',
      event: { event_type: 'call.hangup' },
      payload: {}
    });
    messages.should.eql([]);
    error!.should.have.property('code', 'NO_RECORDING');
    error!.message.should.containEql('call.hangup');
  });

  it('sends what it cannot store to the Catch nodes, with the code and without the query', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
    await start();
    const { messages, error } = await store(saved());
    messages.should.eql([]);
    error!.should.have.property('code', 'NOT_MEDIA');
    error!.message.should.not.containEql('X-Amz');
    (await files()).should.eql([]);
  });

  it('sends the stored files even when another file of the message fails', async () => {
    answer = (request, response) => {
      if (request.url === '/a.wav') sendAll(response);
      else response.writeHead(410).end();
    };
    await start({ format: 'all' });
    const { messages, error } = await store(
      saved({}, { wav: `${media.url}/a.wav`, mp3: `${media.url}/b.mp3` })
    );
    messages.should.have.length(1);
    error!.should.have.property('code', 'LINK_REFUSED');
  });

  it('rejects addresses that are not public unless allowed', async () => {
    await start({ network: undefined });
    (await store(saved())).error!.should.have.property('code', 'UNSAFE_URL');
    media.requests.should.eql([]);
  });

  it('sends the API key only to the address of the API', async () => {
    const seen: Record<string, unknown> = {};
    answer = (request, response) => {
      seen[request.url ?? ''] = request.headers.authorization;
      if (request.url?.endsWith('.wav') === true) sendAll(response);
      else response.writeHead(404).end();
    };
    const other = await localServer((request, response) => answer(request, response));
    process.env['TELNYX_API_KEY'] = 'KEY-for-tests';
    try {
      await start();
      const texml = (RecordingSid: string, RecordingUrl: string): TestMessage => ({
        payload: { CallSid: 'c', RecordingStatus: 'completed', RecordingSid, RecordingUrl }
      });
      should((await store(texml('r1', `${media.url}/v2/recordings/r1.wav`))).error).be.undefined();
      should((await store(texml('r2', `${other.url}/r2.wav`))).error).be.undefined();
      seen.should.containEql({ '/v2/recordings/r1.wav': 'Bearer KEY-for-tests' });
      should(seen['/r2.wav']).be.undefined();
      other.requests.should.eql(['/r2.wav']);
    } finally {
      delete process.env['TELNYX_API_KEY'];
      await other.close();
    }
  });

  it('expands environment variables in the folder', async () => {
    process.env['TELNYX_TEST_FOLDER'] = folder;
    try {
      await start({ folder: '${TELNYX_TEST_FOLDER}/sub' });
      const { messages } = await store(saved());
      String(messages[0]!['payload']).should.startWith(path.join(folder, 'sub'));
    } finally {
      delete process.env['TELNYX_TEST_FOLDER'];
    }
  });

  for (const properties of [
    { filename: '{{caller}}' },
    { concurrency: '0' },
    { format: 'flac' },
    { destination: 'bucket' },
    { deleteAtSource: true, destination: 'message' },
    { folder: '${TELNYX_NOT_SET}/x' }
  ]) {
    it(`rejects the settings ${JSON.stringify(properties)}, for every message`, async () => {
      await start(properties);
      const { messages, error } = await store(saved());
      messages.should.eql([]);
      error!.should.have.property('code', 'BAD_SETTING');
      media.requests.should.eql([]);
    });
  }

  describe('answering the HTTP request', () => {
    async function answered(properties: object, message: TestMessage): Promise<string> {
      await start(properties);
      const server = await localServer((_request, response) => {
        void store({ ...message, res: { _res: response } }).then(() => {
          if (!response.writableEnded) response.writeHead(599).end();
        });
      });
      try {
        const response = await fetch(server.url);
        return `${response.status}${await response.text()}`;
      } finally {
        await server.close();
      }
    }

    it('is left to others by default', async () => {
      (await answered({}, saved())).should.equal('599');
    });

    it('happens once everything is stored', async () => {
      (await answered({ answer: 'stored' }, saved())).should.equal('200');
      (await files()).should.have.length(2);
    });

    it('does not happen when something is not stored', async () => {
      answer = (_request, response) => response.writeHead(410).end();
      (await answered({ answer: 'stored' }, saved())).should.equal('599');
    });

    it('does not change an answer that was already sent', async () => {
      await start({ answer: 'stored' });
      const response = {
        headersSent: true,
        writableEnded: true,
        statusCode: 204,
        end: () => should.fail('answered', 'left alone')
      };
      should((await store({ ...saved(), res: { _res: response } })).error).be.undefined();
      response.statusCode.should.equal(204);
    });
  });

  it('shows the progress during work and the count afterwards', async () => {
    let finish: () => void = () => undefined;
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2));
      finish = () => response.end(bytes.subarray(bytes.length / 2));
    };
    await start();
    const texts: string[] = [];
    const done = new Promise<void>((resolve) => {
      loadedNode('shown').on('input', ({ status }: TestMessage) => {
        const { text = '' } = status as { text?: string };
        texts.push(text);
        if (/percent/.test(text)) finish();
        if (/stored/.test(text)) resolve();
      });
    });
    await Promise.all([store(saved()), done]);
    texts.some((text) => /status.active · .*status.percent/.test(text)).should.be.true(texts.join(' | '));
    texts.at(-1)!.should.match(/stored/);
  });

  it('resumes interrupted jobs by itself after a restart', async () => {
    const begun = new Promise<void>((resolve) => {
      answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length });
        response.write(bytes.subarray(0, 1000), () => resolve());
      };
    });
    await start();
    loadedNode('download').receive({ ...saved(), _msgid: 'before' });
    await begun;
    await nodeHelper.unload();
    (await files()).filter((name) => !name.endsWith('.held')).should.eql([]);
    answer = (_request, response) => sendAll(response);
    await start();
    const message = await nextMessage('stored');
    message.should.have.properties({ _msgid: 'before', topic: 'call.recording.saved', kept: 'as it was' });
    message['recording']!.should.have.properties({ recording_id: 'rec-1', already_stored: false });
    (await files()).should.have.length(2);
  });

  it('writes nothing to its folder after it was stopped', async () => {
    const { mkdir } = realFileSystem;
    const order: string[] = [];
    let begun!: () => void;
    const isWriting = new Promise<void>((resolve) => (begun = resolve));
    const slow = async (where: string, mode: number): Promise<void> => {
      begun();
      // A slow disk: longer than a close that waits for nothing.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await mkdir(where, mode);
      order.push(path.basename(where));
    };
    realFileSystem.mkdir = slow as typeof mkdir;
    try {
      await start();
      await isWriting;
      await nodeHelper.clearFlows();
      order.push('stopped');
    } finally {
      realFileSystem.mkdir = mkdir;
    }
    should(order).eql(['.telnyx-check', 'stopped']);
  });
});
