import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { catchAll, functionNode, node } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { WebhookInstance } from '../support/webhook-instance';

const MEGABYTE = 1024 * 1024;
/** The default limit. */
const LARGEST = 64 * MEGABYTE;
/** Beyond this, senders notice the delay. */
const LONGEST_STALL_MS = 75;

describe('large recordings in messages', function () {
  this.timeout(120_000);
  let directory: string;
  let delays: string;
  let bytes: Buffer;
  let server: LocalServer;
  let instance: WebhookInstance;

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-large-'));
    delays = path.join(directory, 'delays.jsonl');
    // 16,000 bytes a second, and a header.
    bytes = wav({ seconds: Math.floor(LARGEST / 16_000) - 1 });
    const small = wav({ seconds: 1 });
    server = await localServer(({ url = '' }, response) => {
      if (url.includes('small')) {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': small.length }).end(small);
        return;
      }
      const length = url.includes('announced') ? { 'content-length': bytes.length } : {};
      response.writeHead(200, { 'content-type': 'audio/wav', ...length }).end(bytes);
    });
    const download = node('archive', 'telnyx-recording-download', {
      ...TELNYX.download,
      destination: 'message',
      network: 'any',
      answer: 'queued',
      retries: 0,
      wires: [['length']]
    });
    const length = functionNode(
      'length',
      'return { payload: msg.payload.length, topic: msg.recording.sha256 };',
      {
        wires: [['seen']]
      }
    );
    instance = await WebhookInstance.start({
      flow: [...TELNYX.nodes(server.url, ['archive']), download, length, ...catchAll()],
      env: { TEST_LOOP_DELAYS: delays },
      nodeArgs: ['--require', path.join(__dirname, '../support/loop-delay-probe.cjs')]
    });
    // The first recording of a process loads the code for it.
    await instance.deliver(TELNYX.delivery({ id: 'small', storage: server.url }), TELNYX.path);
    await instance.nodeRed.messages(1);
  });
  after(async () => {
    await instance.stop();
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function stallsSince(begin: number): { at: number; ms: number }[] {
    return (existsSync(delays) ? readFileSync(delays, 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { at: number; ms: number })
      .filter(({ at }) => at >= begin);
  }

  for (const [index, name] of ['announced', 'chunked'].entries())
    it(`do not block other requests: 64 MB, ${name}`, async () => {
      const begin = Date.now();
      await instance.deliver(TELNYX.delivery({ id: name, storage: server.url }), TELNYX.path);
      const message = (await instance.nodeRed.messages(index + 2, { deadline: 60_000 }))[index + 1];
      should(message?.payload).equal(bytes.length);
      should(instance.nodeRed.recorded('errors.jsonl')).deepEqual([]);
      const stalls = stallsSince(begin);
      should(Math.max(0, ...stalls.map(({ ms }) => ms))).be.below(LONGEST_STALL_MS, JSON.stringify(stalls));
    });
});
