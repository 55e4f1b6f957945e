import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { idInLink, TELNYX_WITH_KEY } from '../support/archive-source';
import { json } from '../support/daily-server';
import { catchAll, node } from '../support/flows';
import { sha256 } from '../support/media';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';
import { seededNumbers } from '../support/seeded-numbers';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const SOURCE = TELNYX_WITH_KEY;
const RECORDINGS = 24;
const ENDS = 12;
/** Every second recording takes as long as Node-RED's start, so that most kills interrupt one. */
const LONG = 4_000_000;
const SHORT = 48_000;
const SEED = 11;

const names = Array.from({ length: RECORDINGS }, (_value, index) => `rec-${String(index).padStart(2, '0')}`);
const pathOf = (name: string): string => `/${name}.${SOURCE.ext}`;

describe('an archive shared by two Node-REDs', function () {
  this.timeout(500_000);
  let folder: string;
  let server: SlowMedia;
  let media: Map<string, Buffer>;
  let deleted: string[];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-shared-'));
    deleted = [];
    media = new Map(
      names.map((name, index) => [
        pathOf(name),
        SOURCE.file({ size: index % 2 === 0 ? LONG : SHORT, seed: index + 1 })
      ])
    );
    server = await slowMedia(media, {
      piece: 100_000,
      pause: 40,
      contentType: SOURCE.contentType,
      other: (request, response) => {
        const id = /^\/v2\/recordings\/([^/?]+)$/.exec(request.url ?? '')?.[1];
        const isGone = deleted.includes(id ?? idInLink(request));
        if (!isGone && request.method !== 'DELETE') return SOURCE.answerApi(request, response);
        if (!isGone && id !== undefined) deleted.push(id);
        json(response, isGone ? 404 : 200, isGone ? { errors: [{ code: '10005' }] } : { data: {} });
        return true;
      }
    });
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function flow(): FlowNode[] {
    const download = node('archive', 'telnyx-recording-download', {
      ...SOURCE.download,
      destination: 'folder',
      folder,
      filename: '{{year}}/{{recording_id}}.{{ext}}',
      format: 'any',
      sidecar: true,
      concurrency: 4,
      retries: 8,
      network: 'any',
      answer: 'queued',
      deleteAtSource: true,
      wires: [['seen']]
    });
    return [...SOURCE.nodes(server.url, ['archive']), download, ...catchAll()];
  }

  /** Like the provider: repeats until the answer is 200. */
  async function deliver(instance: WebhookInstance, name: string): Promise<void> {
    await until(
      `the answer to ${name}`,
      async () => {
        const delivery = SOURCE.delivery({ id: name, storage: server.url });
        const answer = await instance.deliver(delivery, SOURCE.path).catch(() => null);
        return answer?.status === 200 ? true : undefined;
      },
      { deadline: 400_000 }
    );
  }

  async function deliverToOne(instances: readonly WebhookInstance[], name: string): Promise<void> {
    await until(
      `the answer to ${name}`,
      async () => {
        const delivery = SOURCE.delivery({ id: name, storage: server.url });
        for (const instance of instances) {
          const answer = await instance.deliver(delivery, SOURCE.path).catch(() => null);
          if (answer?.status === 200) return true;
        }
        return undefined;
      },
      { deadline: 400_000 }
    );
  }

  function found(): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  }

  const fileOf = (name: string): string => path.join(folder, '2026', pathOf(name));

  /** Every announced file is there and correct, and nothing else is. */
  function checkArchive(): void {
    for (const name of names) {
      const original = media.get(pathOf(name))!;
      const file = fileOf(name);
      should(sha256(readFileSync(file))).equal(sha256(original), name);
      const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
      should(sidecar).have.properties({ recording_id: name, sha256: sha256(original), path: file });
    }
    should([...deleted].sort()).deepEqual(names);
    should(found()).deepEqual(
      names.flatMap((name) => [`2026${pathOf(name)}`, `2026${pathOf(name)}.json`]).sort()
    );
  }

  it('has every file complete when both receive the same events, with deletion on, and are killed at random', async () => {
    const instances = await Promise.all([0, 1].map(() => WebhookInstance.start({ flow: flow() })));
    try {
      const random = seededNumbers(SEED);
      const delivering: Promise<void>[] = [];
      const back = new Map<NodeRedProcess, Promise<void>>();
      for (let end = 0; end < ENDS; end += 1) {
        const some = names.slice((end * RECORDINGS) / ENDS, ((end + 1) * RECORDINGS) / ENDS);
        for (const instance of instances) delivering.push(...some.map((name) => deliver(instance, name)));
        // An arbitrary moment: both transfer, one publishes, or one finds what the other stored.
        const moment = 50 + random.next().value * 1500;
        await new Promise((resolve) => setTimeout(resolve, moment));
        const { nodeRed } = instances[random.next().value < 0.5 ? 0 : 1]!;
        const signal = random.next().value < 0.5 ? 'SIGKILL' : 'SIGTERM';
        await back.get(nodeRed);
        await nodeRed.kill(signal);
        // The other keeps working, and may also be killed before this one is back.
        back.set(nodeRed, nodeRed.start());
      }
      await Promise.all(back.values());
      await Promise.all(delivering);
      for (const { nodeRed } of instances) {
        // This line is logged just before the message. A kill can hit the message in the flow.
        const isHandedOver = (name: string): boolean => nodeRed.log.includes(`tored: ${fileOf(name)}, `);
        await until('the last of the recordings', () => (names.every(isHandedOver) ? true : undefined), {
          deadline: 120_000
        });
        should(nodeRed.recorded('errors.jsonl')).deepEqual([]);
      }
      await until('the last deletion', () => (deleted.length === RECORDINGS ? true : undefined));
      for (const { nodeRed } of instances) await nodeRed.stop({ keep: true });
      checkArchive();
    } finally {
      for (const instance of instances) await instance.stop();
    }
  });

  it('has every file complete when both run in one user directory, and are killed at random', async () => {
    const first = await WebhookInstance.start({ flow: flow() });
    const instances = [first];
    try {
      instances.push(await first.beside());
      const random = seededNumbers(SEED);
      const delivering: Promise<void>[] = [];
      const back = new Map<NodeRedProcess, Promise<void>>();
      for (let end = 0; end < ENDS; end += 1) {
        const some = names.slice((end * RECORDINGS) / ENDS, ((end + 1) * RECORDINGS) / ENDS);
        // Like a load balancer: to one of them, and to the other when the first one rejects it.
        delivering.push(...some.map((name) => deliverToOne(instances, name)));
        // An arbitrary moment: the owner transfers or publishes, or the other is about to take over.
        const moment = 50 + random.next().value * 1500;
        await new Promise((resolve) => setTimeout(resolve, moment));
        const { nodeRed } = instances[random.next().value < 0.5 ? 0 : 1]!;
        const signal = random.next().value < 0.5 ? 'SIGKILL' : 'SIGTERM';
        await back.get(nodeRed);
        await nodeRed.kill(signal);
        back.set(nodeRed, nodeRed.start());
      }
      await Promise.all(back.values());
      await Promise.all(delivering);
      await until('the last deletion', () => (deleted.length === RECORDINGS ? true : undefined), {
        deadline: 120_000
      });
      for (const { nodeRed } of instances) await nodeRed.stop({ keep: true });
      checkArchive();
      const errors = first.nodeRed.recorded('errors.jsonl').map(({ error }) => error?.code);
      // The waiting one reports it; there are no other errors.
      should([...new Set(errors)]).deepEqual(['STATE_IN_USE']);
    } finally {
      for (const instance of instances.reverse()) await instance.stop();
    }
  });
});
