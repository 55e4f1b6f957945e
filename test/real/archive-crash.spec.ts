import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { DAILY, TELNYX } from '../support/archive-source';
import { catchAll, node } from '../support/flows';
import { sha256 } from '../support/media';
import type { NodeRedProcess } from '../support/node-red-process';
import { seededNumbers } from '../support/seeded-numbers';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const RECORDINGS = 50;
/** Ten kills hit each stage of a transfer; the full size is 20. */
const KILLS = process.env['TEST_FULL_LOAD'] === undefined ? 10 : 20;
const LONGEST_DELAY_MS = 60_000;
/** Every tenth recording is long enough to be resumed after a crash. */
const LONG_EVERY = 10;

const names = Array.from({ length: RECORDINGS }, (_value, index) => `rec-${String(index).padStart(2, '0')}`);

/** Bytes of the partial copies in the archive. */
function partialBytes({ userDir }: NodeRedProcess): number {
  const directory = path.join(userDir, 'archive', '.telnyx-partial');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0);
}

for (const source of [TELNYX, DAILY]) {
  describe(`an archive of recordings of ${source.provider} whose Node-RED is killed`, function () {
    this.timeout(400_000);
    let instance: WebhookInstance;
    let server: SlowMedia;
    let media: Map<string, Buffer>;

    const pathOf = (name: string): string => `/${name}.${source.ext}`;

    before(async () => {
      media = new Map(
        names.map((name, index) => [
          pathOf(name),
          source.file({ size: index % LONG_EVERY === 0 ? 2_400_000 : 48_000, seed: index + 1 })
        ])
      );
      media.set(pathOf('long'), source.file({ size: 8_000_000, seed: 99 }));
      server = await slowMedia(media, {
        piece: 150_000,
        pause: 20,
        contentType: source.contentType,
        other: (request, response) => source.answerApi(request, response)
      });
      const download = node('archive', 'telnyx-recording-download', {
        ...source.download,
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
      instance = await WebhookInstance.start({
        flow: [...source.nodes(server.url, ['archive']), download, ...catchAll()]
      });
    });
    after(async () => {
      await instance.stop();
      await server.close();
    });

    /** Like the provider: repeats until the answer is 200. */
    async function deliver(name: string): Promise<void> {
      await until(
        `the answer to ${name}`,
        async () => {
          const delivery = source.delivery({ id: name, storage: server.url });
          const { status } = await instance.deliver(delivery, source.path);
          return status === 200 ? true : undefined;
        },
        { deadline: 300_000 }
      );
    }

    it('resumes where a killed transfer ended', async () => {
      const { nodeRed } = instance;
      const bytes = media.get(pathOf('long'))!;
      await deliver('long');
      await until('half of the file', () => (partialBytes(nodeRed) > bytes.length / 2 ? true : undefined));
      await nodeRed.kill();
      await nodeRed.start();
      const [message] = await nodeRed.messages(1, { deadline: 30_000 });
      should(message?.recording).have.properties({
        resumed: true,
        already_stored: false,
        size: bytes.length
      });
      should(sha256(readFileSync(String(message?.payload)))).equal(sha256(bytes));
      should(server.resumed()).equal(1);
    });

    it(`loses none of a batch, stores none twice, and leaves nothing incomplete, killed ${KILLS} times`, async () => {
      const { nodeRed } = instance;
      const random = seededNumbers(7);
      // Keeps one for each kill, so that there is something to interrupt until the end.
      const delivering = names.slice(KILLS).map(deliver);
      for (const name of names.slice(0, KILLS)) {
        delivering.push(deliver(name));
        // An arbitrary moment: anywhere from the first answer to several stored files.
        const moment = 5 + random.next().value * 250;
        await new Promise((resolve) => setTimeout(resolve, moment));
        await nodeRed.kill();
        await nodeRed.start();
      }
      const lastStart = performance.now();
      await Promise.all(delivering);
      const archive = path.join(nodeRed.userDir, 'archive');
      const fileOf = (name: string): string => path.join(archive, '2026', pathOf(name));
      // This line is logged just before the message. A kill can hit the message in the flow.
      const isHandedOver = (name: string): boolean => nodeRed.log.includes(`] Stored: ${fileOf(name)}, `);
      await until('the last of the recordings', () => (names.every(isHandedOver) ? true : undefined), {
        deadline: LONGEST_DELAY_MS
      }).catch((error: unknown) => {
        const missing = names.filter((name) => !isHandedOver(name));
        throw new Error(`${String(error)}. Missing: ${missing.join(', ')}. Log:\n${nodeRed.log}`);
      });
      // Without a kill all of them start within seconds. None waits longer for those that were hit often.
      (performance.now() - lastStart).should.be.below(LONGEST_DELAY_MS);

      const found = readdirSync(archive, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(archive, path.join(entry.parentPath, entry.name)));
      should(found.sort()).deepEqual(
        ['long', ...names].flatMap((name) => [`2026${pathOf(name)}`, `2026${pathOf(name)}.json`]).sort()
      );
      for (const name of names) {
        const original = media.get(pathOf(name))!;
        const file = fileOf(name);
        should(sha256(readFileSync(file))).equal(sha256(original), name);
        const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
        should(sidecar).have.properties({ recording_id: name, sha256: sha256(original), path: file });
      }
      should(nodeRed.recorded('errors.jsonl')).deepEqual([]);
      should(nodeRed.log).not.match(/secret|made-up-daily-api-key/);
    });
  });
}
