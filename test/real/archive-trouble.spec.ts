import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { DAILY, TELNYX } from '../support/archive-source';
import { catchAll, node } from '../support/flows';
import { type LocalServer, localServer, sha256 } from '../support/media';
import type { FlowNode, RecordedMessage } from '../support/node-red-process';
import { nodeStatus } from '../support/node-statuses';
import { requireMount } from '../support/real-parts';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

for (const source of [TELNYX, DAILY]) {
  describe(`an archive of recordings of ${source.provider} on a real Node-RED in trouble`, function () {
    this.timeout(90_000);
    const { ext } = source;
    const BYTES = source.file({ size: 3_200_000, seed: 7 });
    const SMALL = source.file({ size: 16_000, seed: 8 });
    let instance: WebhookInstance;
    let media: LocalServer;
    let answer: (request: IncomingMessage, response: ServerResponse) => void;
    let number = 0;

    /** Download nodes wired side by side behind the webhook, each with its settings. */
    function flowWith(...downloads: Record<string, unknown>[]): FlowNode[] {
      const nodes = downloads.map((settings, index) =>
        node(`archive${index}`, 'telnyx-recording-download', {
          ...source.download,
          destination: 'folder',
          folder: 'archive',
          filename: '{{recording_id}}.{{ext}}',
          format: 'any',
          sidecar: true,
          concurrency: 2,
          retries: 30,
          network: 'any',
          answer: 'queued',
          wires: [['seen']],
          ...settings
        })
      );
      const behind = nodes.map(({ id }) => id);
      return [...source.nodes(media.url, behind), ...nodes, ...catchAll()];
    }

    const sendAll = (response: ServerResponse, bytes: Buffer, from = 0): void => {
      const rest = bytes.subarray(from);
      response
        .writeHead(from > 0 ? 206 : 200, {
          'content-type': source.contentType,
          'content-length': rest.length,
          etag: `"${bytes.length}"`,
          ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
        })
        .end(rest);
    };
    const fileAnswer =
      (bytes: Buffer) =>
      (request: IncomingMessage, response: ServerResponse): void =>
        sendAll(response, bytes, Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0));

    before(async () => {
      media = await localServer((request, response) => {
        if (!source.answerApi(request, response)) answer(request, response);
      });
      instance = await WebhookInstance.start({ flow: flowWith({}) });
    });
    beforeEach(() => {
      answer = fileAnswer(SMALL);
    });
    after(async () => {
      await instance.stop();
      await media.close();
    });

    /** Delivers the event of a recording, with a new id each time. */
    async function deliver(id: string): Promise<void> {
      number += 1;
      const delivery = source.delivery({ id, event: `event ${number}`, storage: media.url });
      should((await instance.deliver(delivery, source.path)).status).equal(200);
    }

    const told = (name: string): RecordedMessage[] =>
      instance.nodeRed.recorded().filter(({ recording }) => recording?.['recording_id'] === name);

    async function stored(name: string, bytes: Buffer, deadline = 60_000): Promise<RecordedMessage> {
      const message = await until(`the message of ${name}`, () => told(name)[0], { deadline });
      const copy = readFileSync(String(message.payload));
      should([copy.length, sha256(copy)]).deepEqual([bytes.length, sha256(bytes)]);
      const sidecar = JSON.parse(readFileSync(`${String(message.payload)}.json`, 'utf8')) as object;
      should(sidecar).have.properties({ sha256: sha256(bytes), recording_id: name });
      return message;
    }

    /** Waits until the status says that it waits for another attempt, and why. */
    const waitsFor = (trouble: string): Promise<unknown> =>
      nodeStatus(
        instance.nodeRed,
        'archive0',
        ({ text = '' }) => /^retry \d+\/30 (?:now|in \d+ s): ([a-z -]+)$/.exec(text)?.[1] === trouble
      );

    it('waits for room on a disk that fills up during a recording, and resumes there', async function () {
      const mount = requireMount(this, '2m');
      try {
        answer = fileAnswer(BYTES);
        await instance.nodeRed.deploy(flowWith({ folder: mount.directory }));
        await deliver('full-disk');
        await waitsFor('disk is full');
        should(readdirSync(mount.directory)).deepEqual(['.telnyx-partial']);
        execFileSync('mount', ['-o', 'remount,size=16m', mount.directory]);
        const message = await stored('full-disk', BYTES);
        should(message.recording).have.properties({ resumed: true, already_stored: false });
        should(readdirSync(mount.directory).sort()).deepEqual([
          '.telnyx-partial',
          `full-disk.${ext}`,
          `full-disk.${ext}.json`
        ]);
        should(readdirSync(path.join(mount.directory, '.telnyx-partial'))).be.empty();
      } finally {
        await instance.nodeRed.deploy(flowWith({}));
        mount.unmount();
      }
    });

    it('waits for a disk that is mounted read-only', async function () {
      const mount = requireMount(this, '16m');
      try {
        await instance.nodeRed.deploy(flowWith({ folder: mount.directory }));
        execFileSync('mount', ['-o', 'remount,ro', mount.directory]);
        await deliver('read-only');
        await waitsFor('disk is read-only');
        should(told('read-only')).be.empty();
        execFileSync('mount', ['-o', 'remount,rw', mount.directory]);
        await stored('read-only', SMALL);
      } finally {
        await instance.nodeRed.deploy(flowWith({}));
        mount.unmount();
      }
    });

    it('recreates a removed folder, and waits where something else has its name', async () => {
      const folder = path.join(instance.nodeRed.userDir, 'archive');
      await deliver('first');
      await stored('first', SMALL);
      renameSync(folder, `${folder}-gone`);
      await deliver('after');
      await stored('after', SMALL);
      rmSync(folder, { recursive: true });
      writeFileSync(folder, 'no folder');
      await instance.nodeRed.deploy(flowWith({ retries: 0 }));
      await deliver('in-the-way');
      const caught = await instance.nodeRed.messages(1, { file: 'errors.jsonl' });
      should(caught.at(-1)?.error).have.property('code', 'GAVE_UP');
      should(caught.at(-1)?.error?.message).match(/is in the way: a folder is needed there/);
      should(readFileSync(folder, 'utf8')).equal('no folder');

      // A failed recording is stored when its message arrives again.
      rmSync(folder);
      await deliver('in-the-way');
      should((await stored('in-the-way', SMALL)).recording).have.property('already_stored', false);
    });

    it('keeps jobs when a flow is edited, even during a transfer, and when other nodes come and go', async () => {
      const folders = ['edit-a', 'edit-b'].map((name) => path.join(instance.nodeRed.userDir, name));
      await instance.nodeRed.deploy(flowWith({ folder: folders[0] }, { folder: folders[1] }));
      let begun = 0;
      answer = (_request, response) => {
        begun += 1;
        response.writeHead(200, {
          'content-type': source.contentType,
          'content-length': BYTES.length,
          etag: '"x"'
        });
        response.write(BYTES.subarray(0, 1_500_000));
      };
      await deliver('edited');
      await until('both transfers', () => (begun === 2 ? true : undefined));
      // The second node is removed, the first one changes during its transfer.
      answer = fileAnswer(BYTES);
      await instance.nodeRed.deploy(flowWith({ folder: folders[0], concurrency: 1 }), 'nodes');
      await stored('edited', BYTES);
      should(told('edited')).have.length(1);
      should(existsSync(path.join(folders[1]!, `edited.${ext}`))).be.false();
      // It returns, and so does its job.
      await instance.nodeRed.deploy(
        flowWith({ folder: folders[0], concurrency: 1 }, { folder: folders[1] }),
        'nodes'
      );
      await until('the other message', () => (told('edited').length === 2 ? true : undefined));
      should(sha256(readFileSync(path.join(folders[1]!, `edited.${ext}`)))).equal(sha256(BYTES));
      should(told('edited').map(({ recording }) => recording?.['already_stored'])).deepEqual([false, false]);
    });

    it('gives up when a server asks for a year, and stores the recording later', async () => {
      await instance.nodeRed.deploy(flowWith({ retries: 0 }));
      answer = (_request, response) => response.writeHead(429, { 'retry-after': '31536000' }).end();
      const before = instance.nodeRed.recorded('errors.jsonl').length;
      await deliver('limited');
      const caught = await instance.nodeRed.messages(before + 1, { file: 'errors.jsonl' });
      should(caught.at(-1)?.error).have.property('code', 'GAVE_UP');
      should(caught.at(-1)?.error?.message).match(/429/);
      answer = fileAnswer(SMALL);
      await deliver('limited');
      await stored('limited', SMALL);
    });

    it('shares one folder between two nodes: one file, one sidecar, two messages', async () => {
      await instance.nodeRed.deploy(flowWith({ folder: 'shared' }, { folder: 'shared' }));
      answer = fileAnswer(BYTES);
      await deliver('shared');
      await until('two messages', () => (told('shared').length === 2 ? true : undefined));
      await stored('shared', BYTES);
      const folder = path.join(instance.nodeRed.userDir, 'shared');
      should(readdirSync(folder).sort()).deepEqual([
        '.telnyx-partial',
        `shared.${ext}`,
        `shared.${ext}.json`
      ]);
      should(readdirSync(path.join(folder, '.telnyx-partial'))).be.empty();
    });

    it('logs one line for each stored file, without its link', () => {
      const lines = instance.nodeRed.log.split('\n').filter((line) => /\] Stored: /.test(line));
      const files = lines.map((line) => /Stored: (\S+), (\d+) bytes, SHA-256 ([0-9a-f]{64})$/.exec(line));
      should(files.every((found) => found !== null)).be.true();
      const names = files.map((found) => path.basename(found?.[1] ?? ''));
      for (const name of ['first', 'after', 'in-the-way', 'limited'])
        should([name, names.filter((each) => each === `${name}.${ext}`).length]).deepEqual([name, 1]);
      should(instance.nodeRed.log).not.match(/secret|made-up-daily-api-key/);
    });

    it('counts down to the next attempt, warns once, and reports everything again after a restart', async () => {
      answer = (_request, response) => response.writeHead(503, { 'retry-after': '90' }).end();
      await instance.nodeRed.deploy(flowWith({}));
      const from = instance.nodeRed.log.length;
      for (const name of ['patient-1', 'patient-2']) await deliver(name);
      const status = /^retry 1\/30 in (\d+) s: fault at the source · 2 retrying$/;
      const seconds = async (isWanted: (seconds: number) => boolean): Promise<void> => {
        await nodeStatus(instance.nodeRed, 'archive0', ({ text = '' }) =>
          isWanted(Number(status.exec(text)?.[1] ?? NaN))
        );
      };
      await seconds((left) => left >= 80);
      await seconds((left) => left < 88);
      await instance.nodeRed.restart();
      await seconds((left) => left < 86);
      const warnings = instance.nodeRed.log.slice(from).match(/Not done yet, retry .*/g) ?? [];
      should(warnings).have.length(1);
      warnings[0]!.should.containEql('retry 1/30 in 90 s: ').and.containEql(' answered 503');
      should(instance.nodeRed.log).not.match(/X-Amz-Signature/);
    });
  });
}
