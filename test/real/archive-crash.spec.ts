import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { jsonDelivery } from '../support/deliveries';
import { catchAll, node } from '../support/flows';
import { sha256, wav } from '../support/media';
import type { NodeRedProcess } from '../support/node-red-process';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const RECORDINGS = 50;
const KILLS = 20;
/** Every tenth recording is long enough to be gone on with after a crash. */
const LONG_EVERY = 10;

const names = Array.from({ length: RECORDINGS }, (_value, index) => `rec-${String(index).padStart(2, '0')}`);

const media = new Map(
  names.map((name, index) => [
    `/${name}.wav`,
    wav({ seconds: index % LONG_EVERY === 0 ? 150 : 3, channels: 1, seed: index + 1 })
  ])
);

media.set('/long.wav', wav({ seconds: 500, seed: 99 }));

const DOWNLOAD = node('archive', 'telnyx-recording-download', {
  account: 'account',
  destination: 'folder',
  folder: 'archive',
  filename: '{{year}}/{{recording_id}}.{{ext}}',
  format: 'any',
  sidecar: true,
  concurrency: 4,
  retries: 8,
  network: 'any',
  answer: 'queued',
  wires: [['seen']]
});

function saved(name: string, url: string): string {
  return JSON.stringify({
    data: {
      record_type: 'event',
      event_type: 'call.recording.saved',
      id: `event of ${name}`,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: {
        recording_id: name,
        recording_started_at: '2026-05-06T07:00:00Z',
        recording_urls: { wav: `${url}/${name}.wav?X-Amz-Signature=secret` }
      }
    }
  });
}

/** Numbers from 0 to 1, always the same ones. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Bytes of recordings that are on their way into the archive. */
function partialBytes({ userDir }: NodeRedProcess): number {
  const directory = path.join(userDir, 'archive', '.telnyx-partial');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0);
}

describe('an archive whose Node-RED is killed', function () {
  this.timeout(400_000);
  let instance: WebhookInstance;
  let server: SlowMedia;

  before(async () => {
    server = await slowMedia(media, { piece: 100_000, pause: 20 });
    const flow = webhookFlow({ reply: 'flow', wires: [['archive']] }, [DOWNLOAD, ...catchAll()]);
    instance = await WebhookInstance.start({ flow });
  });
  after(async () => {
    await instance.stop();
    await server.close();
  });

  /** As Telnyx does: again, until it is answered with 200. */
  async function deliver(name: string): Promise<void> {
    const body = saved(name, server.url);
    await until(
      `the answer to ${name}`,
      async () => {
        const { status } = await instance.deliver(jsonDelivery(body));
        return status === 200 ? true : undefined;
      },
      { deadline: 300_000 }
    );
  }

  it('goes on where a killed transfer ended', async () => {
    const { nodeRed } = instance;
    const bytes = media.get('/long.wav')!;
    await deliver('long');
    await until('half of the file', () => (partialBytes(nodeRed) > bytes.length / 2 ? true : undefined));
    await nodeRed.kill();
    await nodeRed.start();
    const [message] = await nodeRed.messages(1, { deadline: 30_000 });
    should(message?.recording).have.properties({ resumed: true, already_stored: false, size: bytes.length });
    should(sha256(readFileSync(String(message?.payload)))).equal(sha256(bytes));
    should(server.resumed()).equal(1);
  });

  it('loses none of a batch, stores none twice, and leaves nothing half done, killed 20 times', async () => {
    const { nodeRed } = instance;
    const random = numbers(7);
    const delivering = Promise.all(names.map(deliver));
    for (let kill = 0; kill < KILLS; kill += 1) {
      // A moment that nothing announces: anything from the first answer to several stored files.
      const moment = 20 + random.next().value * 500;
      await new Promise((resolve) => setTimeout(resolve, moment));
      await nodeRed.kill();
      await nodeRed.start();
    }
    await delivering;
    const isTold = (name: string): boolean =>
      nodeRed
        .recorded()
        .some(
          ({ recording }) => recording?.['recording_id'] === name && recording['already_stored'] === false
        );
    await until('a message for every recording', () => (names.every(isTold) ? true : undefined), {
      deadline: 60_000
    });

    const archive = path.join(nodeRed.userDir, 'archive');
    const found = readdirSync(archive, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(archive, path.join(entry.parentPath, entry.name)));
    should(found.sort()).deepEqual(
      ['long', ...names].flatMap((name) => [`2026/${name}.wav`, `2026/${name}.wav.json`]).sort()
    );
    for (const name of names) {
      const original = media.get(`/${name}.wav`)!;
      const file = path.join(archive, '2026', `${name}.wav`);
      should(sha256(readFileSync(file))).equal(sha256(original), name);
      const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
      should(sidecar).have.properties({ recording_id: name, sha256: sha256(original), path: file });
    }
    should(nodeRed.recorded('errors.jsonl')).deepEqual([]);
    should(nodeRed.log).not.match(/secret/);
  });
});
