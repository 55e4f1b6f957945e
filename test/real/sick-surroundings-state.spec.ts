import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { catchAll, node } from '../support/flows';
import { sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { nodeStatus } from '../support/node-statuses';
import { type Mount, requireMount } from '../support/real-parts';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** The promised time, plus a margin for a busy machine. */
const TAKE_OVER_MS = 30_000;

async function statusOf(instance: WebhookInstance, id: string): Promise<number | undefined> {
  return (await instance.deliver(jsonDelivery(holdEvent(id)))).status;
}

const idsOf = (messages: RecordedMessage[]) => messages.map(({ event }) => event?.['id']);

/** Without marked repeats: a kill can prevent the note that the flow has an event. */
function withoutRepeats(messages: RecordedMessage[]): RecordedMessage[] {
  const ids = idsOf(messages);
  return messages.filter(
    ({ event }, index) => event?.['recovered'] !== true || ids.indexOf(event['id']) === index
  );
}

/** As `rm -r`, which gives up if files appear meanwhile: Node-RED recreates them at once. */
function removeOnce(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    should((error as NodeJS.ErrnoException).code).equal('ENOTEMPTY');
  }
}

describe('a state that is removed while in use', function () {
  this.timeout(120_000);
  let instance: WebhookInstance;
  const state = () => path.join(instance.nodeRed.userDir, 'telnyx');

  beforeEach(async () => {
    instance = await WebhookInstance.start({ flow: webhookFlow({}, catchAll()) });
  });
  afterEach(() => instance.stop());

  for (const what of ['.', 'state', path.join('state', 'data.mdb')]) {
    it(`keeps what it answers 200 after the removal of ${path.join('telnyx', what)}, even when killed`, async () => {
      const { nodeRed } = instance;
      should(await statusOf(instance, 'before')).equal(200);
      rmSync(path.join(state(), what), { recursive: true, maxRetries: 10 });
      const ids = Array.from({ length: 5 }, (_, index) => `after-${index}`);
      for (const id of ids) should(await statusOf(instance, id)).equal(200);
      await nodeRed.kill();
      await nodeRed.start();
      // Otherwise it would forget both that it accepted an event and that the flow has it.
      for (const id of ['before', ...ids]) should(await statusOf(instance, id)).equal(200);
      should(idsOf(withoutRepeats(await instance.settled())).sort()).deepEqual([...ids, 'before'].sort());

      should(nodeRed.log).match(/The state of the Telnyx nodes was removed while Node-RED was running/);
    });
  }

  it('loses nothing under load, whenever it is removed', async () => {
    const { nodeRed } = instance;
    const accepted = new Set<string>();
    let open = true;
    const send = async (sender: number): Promise<void> => {
      for (let count = 0; open; count += 1) {
        const id = `${sender}-${count}`;
        if ((await statusOf(instance, id).catch(() => undefined)) === 200) accepted.add(id);
      }
    };
    const senders = Promise.all(Array.from({ length: 6 }, (_, sender) => send(sender)));
    try {
      for (let round = 1; round <= 5; round += 1) {
        const before = accepted.size;
        await until('more deliveries', () => accepted.size > before + 30 || undefined);
        removeOnce(state());
      }
      // What was on disk when it was removed is back before the first of these is answered.
      const removed = accepted.size;
      await until('more deliveries', () => accepted.size > removed + 30 || undefined);
      await nodeRed.kill();
    } finally {
      open = false;
      await senders;
    }
    await nodeRed.start();
    for (const id of accepted) should(await statusOf(instance, id)).equal(200);
    const seen = await instance.settled();
    const once = idsOf(withoutRepeats(seen));
    should([...accepted].filter((id) => !once.includes(id))).deepEqual([]);
    should(once.length).equal(new Set(once).size);
  });

  it('is recreated even when nothing is delivered', async () => {
    should(await statusOf(instance, 'before')).equal(200);
    rmSync(state(), { recursive: true, maxRetries: 10 });
    await until('the state', () => existsSync(path.join(state(), 'state', 'data.mdb')) || undefined);
    await instance.nodeRed.kill();
    await instance.nodeRed.start();
    should(await statusOf(instance, 'before')).equal(200);
    should(idsOf(withoutRepeats(await instance.settled()))).deepEqual(['before']);
  });

  it('accepts nothing while it cannot be recreated', async () => {
    should(await statusOf(instance, 'before')).equal(200);
    rmSync(state(), { recursive: true, maxRetries: 10 });
    writeFileSync(state(), 'in the way');
    should(await statusOf(instance, 'refused')).equal(503);
    rmSync(state());
    should(await statusOf(instance, 'refused')).equal(200);
    should(await statusOf(instance, 'before')).equal(200);
    should(idsOf(await instance.settled())).deepEqual(['before', 'refused']);
  });
});

describe('two processes with one user directory', function () {
  this.timeout(180_000);
  let first: WebhookInstance;
  let second: WebhookInstance;
  let server: SlowMedia;
  const media = new Map([['/slow.wav', TELNYX.file({ size: 4_000_000, seed: 1 })]]);

  beforeEach(async () => {
    server = await slowMedia(media, { piece: 40_000, pause: 20, contentType: TELNYX.contentType });
    const download = node('archive', 'telnyx-recording-download', {
      ...TELNYX.download,
      folder: 'archive',
      filename: '{{recording_id}}.{{ext}}',
      network: 'any',
      answer: 'queued',
      wires: [['seen']]
    });
    const list = node('list', 'telnyx-recording-list', { account: 'account', wires: [[], []] });
    first = await WebhookInstance.start({
      flow: [
        ...TELNYX.nodes(server.url, ['archive']),
        ...webhookFlow({ id: 'plain', path: '/plain' }).filter(({ id }) => id === 'plain'),
        download,
        list,
        ...catchAll()
      ]
    });
    second = await first.beside();
  });
  afterEach(async () => {
    await second.stop();
    await first.stop();
    await server.close();
  });

  const plain = (instance: WebhookInstance, id: string) =>
    instance.deliver(jsonDelivery(holdEvent(id)), '/plain');
  const recording = (instance: WebhookInstance) =>
    instance.deliver(TELNYX.delivery({ id: 'slow', storage: server.url }));

  /** @returns milliseconds until the second one accepts */
  async function takenOver(): Promise<number> {
    const begun = performance.now();
    let count = 0;
    await until(
      'the second process to take over',
      async () => {
        count += 1;
        return (await plain(second, `try-${count}`)).status === 200 || undefined;
      },
      { deadline: TAKE_OVER_MS }
    );
    return performance.now() - begun;
  }

  it('let one work: the other rejects deliveries, and shows the reason in red', async () => {
    should((await plain(first, 'one')).status).equal(200);
    for (const answer of [await plain(second, 'two'), await recording(second)]) {
      should(answer.status).equal(503);
      should(answer.headers['retry-after']).match(/^\d+$/);
    }
    for (const id of ['webhook', 'plain', 'archive', 'list']) {
      const status = await nodeStatus(second.nodeRed, id, ({ text = '' }) => text.includes('STATE_IN_USE'));
      should([id, status.fill]).deepEqual([id, 'red']);
    }
    const [error] = await second.nodeRed.messages(1, { file: 'errors.jsonl' });
    should(error?.error?.code).equal('STATE_IN_USE');
    should(error?.error?.message).match(
      new RegExp(`Process ${first.nodeRed.pid}, .* a user directory of its own \\(--userDir\\)`)
    );
    should(first.nodeRed.log).not.match(/STATE_IN_USE/);
  });

  for (const [how, signal] of [
    ['was killed', 'SIGKILL'],
    ['ended in good order', 'SIGTERM']
  ] as const) {
    it(`let the second one take over when the first one ${how}, and finish its jobs`, async () => {
      should((await plain(first, 'one')).status).equal(200);
      should((await recording(first)).status).equal(200);
      await until('the transfer to begin', () => server.requests.length > 0 || undefined);
      await first.nodeRed.kill(signal);
      should(await takenOver()).be.below(TAKE_OVER_MS);
      // It knows what the first one accepted and started.
      should((await plain(second, 'one')).status).equal(200);
      const stored = await until(
        'the recording',
        () => second.nodeRed.recorded().find(({ recording: done }) => done?.['recording_id'] === 'slow'),
        { deadline: 60_000 }
      );
      const file = readFileSync(path.join(second.nodeRed.userDir, 'archive', 'slow.wav'));
      should(sha256(file)).equal(sha256(media.get('/slow.wav')!));
      should(stored.recording?.['sha256']).equal(sha256(file));
      should(idsOf(second.nodeRed.recorded()).filter((id) => id === 'one')).deepEqual(['one']);
      for (const id of ['webhook', 'plain', 'archive'])
        await nodeStatus(
          second.nodeRed,
          id,
          ({ fill, text = '' }) => fill !== 'red' && !text.includes('STATE')
        );
      // The first one returns, and now it waits.
      await first.nodeRed.start();
      should((await plain(first, 'three')).status).equal(503);
    });
  }

  it('do not take over from an owner that is only stopped, and resumes', async () => {
    process.kill(first.nodeRed.pid, 'SIGSTOP');
    // Longer than an invisible owner may be silent: this one is visible, so it does not count as dead.
    const end = performance.now() + 22_000;
    while (performance.now() < end) {
      should((await plain(second, 'while stopped')).status).equal(503);
      // Nothing signals that no takeover happens: the next check comes shortly.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    process.kill(first.nodeRed.pid, 'SIGCONT');
    should((await plain(first, 'one')).status).equal(200);
  });
});

describe('a state that cannot be opened at the start', function () {
  this.timeout(120_000);

  it('lets remaining jobs resume by themselves once it can be opened', async () => {
    const file = TELNYX.file({ size: 2_000_000, seed: 4 });
    const server = await slowMedia(new Map([['/left.wav', file]]), { piece: 20_000, pause: 20 });
    const instance = await WebhookInstance.start({
      flow: [
        ...TELNYX.nodes(server.url, ['archive']),
        node('archive', 'telnyx-recording-download', {
          ...TELNYX.download,
          folder: 'archive',
          filename: '{{recording_id}}.{{ext}}',
          network: 'any',
          answer: 'queued',
          wires: [['seen']]
        }),
        ...catchAll()
      ]
    });
    const { nodeRed } = instance;
    try {
      const delivery = TELNYX.delivery({ id: 'left', storage: server.url });
      should((await instance.deliver(delivery)).status).equal(200);
      await until('the transfer to begin', () => server.requests.length > 0 || undefined);
      await nodeRed.kill();
      const directory = path.join(nodeRed.userDir, 'telnyx');
      renameSync(directory, `${directory}-elsewhere`);
      writeFileSync(directory, 'in the way');
      await nodeRed.start();
      const failed = await nodeStatus(nodeRed, 'archive', ({ fill }) => fill === 'red');
      should(failed.text).match(/STORE_FAILED/);

      rmSync(directory);
      renameSync(`${directory}-elsewhere`, directory);
      // Without a message or a deploy.
      const stored = await until(
        'the recording',
        () => nodeRed.recorded().find(({ recording: done }) => done?.['recording_id'] === 'left'),
        { deadline: 60_000 }
      );
      should(sha256(readFileSync(String(stored.payload)))).equal(sha256(file));
      await nodeStatus(nodeRed, 'archive', ({ fill, text }) => fill === 'green' && text === '1 stored');
      const codes = nodeRed.recorded('errors.jsonl').map(({ error }) => error?.code);
      should(codes.sort()).deepEqual(['NOT_RECORDED', 'STORE_FAILED']);
    } finally {
      await instance.stop();
      await server.close();
    }
  });
});

describe('a full disk', function () {
  this.timeout(120_000);
  let instance: WebhookInstance;
  let mount: Mount;
  const directory = () => path.join(instance.nodeRed.userDir, 'telnyx');

  before(function () {
    mount = requireMount(this, '3m');
  });
  after(() => mount.unmount());

  it('causes neither a crash nor a damaged state when a lock file is missing', async () => {
    instance = await WebhookInstance.start({ flow: webhookFlow({}, catchAll()) });
    const { nodeRed } = instance;
    try {
      await nodeRed.stop({ keep: true });
      rmSync(directory(), { recursive: true });
      symlinkSync(mount.directory, directory());
      await nodeRed.start();
      should(await statusOf(instance, 'before')).equal(200);
      await instance.settled();
      await nodeRed.kill();
      rmSync(path.join(directory(), 'state', 'lock.mdb'));
      const filler = path.join(mount.directory, 'filler');
      fill(filler);

      await nodeRed.start();
      should(await statusOf(instance, 'while full')).equal(503);
      should(nodeRed.alive).be.true();
      should(readdirSync(mount.directory).filter((name) => name.startsWith('state-damaged'))).be.empty();

      rmSync(filler);
      should(await statusOf(instance, 'while full')).equal(200);
      should(await statusOf(instance, 'before')).equal(200);
      should(idsOf(withoutRepeats(await instance.settled()))).deepEqual(['before', 'while full']);
    } finally {
      await instance.stop();
    }
  });
});

/** Writes until the file system is full. */
function fill(file: string): void {
  for (const size of [64 * 1024, 4096, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      should((error as NodeJS.ErrnoException).code).equal('ENOSPC');
    }
  }
}
