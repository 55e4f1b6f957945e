import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { LogJournal } from '../../src/webhook/journal/log-journal';
import { StateDatabase } from '../../src/state/state-database';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { catchAll, webhookIn } from '../support/flows';
import { type Mount, requireMount } from '../support/real-parts';
import { WebhookInstance, webhookFlow } from '../support/webhook-instance';

const SCOPE = 'webhook';

/** Leaves what a process leaves behind when it dies between answering and handing over. */
async function acceptWithoutHandingOver(
  userDir: string,
  ids: string[],
  receivedAt = Date.now()
): Promise<void> {
  const database = new StateDatabase(path.join(userDir, 'telnyx'));
  const journal = new LogJournal({
    database,
    directory: path.join(userDir, 'telnyx', 'deliveries'),
    guard: () => undefined,
    log: console.error,
    days: new Map(),
    mostBytes: 1e9
  });
  await Promise.all(
    ids.map((id) =>
      journal.accept({
        scope: SCOPE,
        id,
        receivedAt,
        verified: 'ed25519',
        keyIndex: 0,
        contentType: 'application/json',
        query: null,
        rawBody: Buffer.from(holdEvent(id)),
        provider: 'telnyx',
        eventType: 'call.hold',
        proof: null
      })
    )
  );
  await journal.dispose();
  await database.close();
}

describe('the journal of accepted deliveries', function () {
  this.timeout(120_000);
  let instance: WebhookInstance;

  beforeEach(async () => {
    instance = await WebhookInstance.start({ flow: webhookFlow({}, catchAll()) });
  });
  afterEach(() => instance.stop());

  it('hands over at the next start what had not reached the flow, once, and marks it', async () => {
    const { nodeRed } = instance;
    await nodeRed.kill();
    await acceptWithoutHandingOver(nodeRed.userDir, ['left-1', 'left-2']);
    await nodeRed.start();
    const recovered = await nodeRed.messages(2);
    should(recovered.map(({ event }) => [event?.['id'], event?.['recovered']])).deepEqual([
      ['left-1', true],
      ['left-2', true]
    ]);
    should(recovered[0]?.topic).equal('call.hold');
    const again = await instance.deliver(jsonDelivery(holdEvent('left-1')));
    should(again.status).equal(200);
    await instance.settled();
    await nodeRed.restart();
    should((await instance.settled()).length).equal(2);
  });

  it('also hands over what waited for the next start for more than a week', async () => {
    const { nodeRed } = instance;
    await nodeRed.kill();
    const ids = Array.from({ length: 300 }, (_, index) => `old-${index}`);
    await acceptWithoutHandingOver(nodeRed.userDir, ids, Date.now() - 30 * 24 * 60 * 60 * 1000);
    await nodeRed.start();
    should((await nodeRed.messages(300)).map(({ event }) => event?.['id'])).deepEqual(ids);
  });

  it('starts with a new state when a power cut has damaged the old one, says so, and keeps the old one', async () => {
    const { nodeRed } = instance;
    should((await instance.deliver(jsonDelivery(holdEvent('before')))).status).equal(200);
    await nodeRed.kill();
    const directory = path.join(nodeRed.userDir, 'telnyx');
    truncateSync(path.join(directory, 'state', 'data.mdb'), 8192);
    await nodeRed.start();
    const [, aside = ''] = await nodeRed.waitForLog(
      /was damaged, perhaps by a power cut, and is in (\S+) now/
    );
    should(existsSync(path.join(aside, 'data.mdb'))).be.true();
    should((await instance.deliver(jsonDelivery(holdEvent('after')))).status).equal(200);
  });

  it('repeats nothing after an orderly restart, however soon it comes', async () => {
    const { nodeRed } = instance;
    const ids = Array.from({ length: 40 }, (_, index) => `soon-${index}`);
    const answers = await Promise.all(ids.map((id) => instance.deliver(jsonDelivery(holdEvent(id)))));
    should(answers.every(({ status }) => status === 200)).be.true();
    await nodeRed.restart();
    should((await instance.settled()).filter(({ event }) => event?.['recovered'])).be.empty();
  });

  it('keeps what was accepted for a disabled node until it is back', async () => {
    const { nodeRed } = instance;
    await nodeRed.deploy(webhookFlow({ d: true }));
    await nodeRed.kill();
    await acceptWithoutHandingOver(nodeRed.userDir, ['left-3']);
    await nodeRed.start();
    await nodeRed.deploy(webhookFlow({}));
    const [message] = await nodeRed.messages(1);
    should(message?.event?.['id']).equal('left-3');
  });

  it('knows a repeat after a redeploy, a restart and a SIGKILL', async () => {
    const { nodeRed } = instance;
    const repeat = async (): Promise<void> => {
      should((await instance.deliver(jsonDelivery(holdEvent('repeated')))).status).equal(200);
      should((await instance.settled()).length).equal(1);
    };
    await repeat();
    await nodeRed.deploy(webhookFlow({ name: 'another name' }));
    await repeat();
    await nodeRed.restart();
    await repeat();
    await nodeRed.kill();
    await nodeRed.start();
    await repeat();
  });

  it('keeps what two nodes remember apart', async () => {
    const second = webhookIn({ id: 'second', path: '/second' });
    await instance.nodeRed.deploy(webhookFlow({}, [second]));
    for (const at of ['/telnyx', '/second']) await instance.deliver(jsonDelivery(holdEvent('for-both')), at);
    await instance.settled();
    should((await instance.settled('/second')).length).equal(2);
  });

  it('loses nothing that was answered 200 when the process is killed under load', async () => {
    const { nodeRed } = instance;
    const accepted = new Set<string>();
    for (let round = 0; round < 5; round += 1) {
      let open = true;
      const sender = async (): Promise<void> => {
        while (open) {
          const id = randomUUID();
          const status = await instance.deliver(jsonDelivery(holdEvent(id))).then(
            (answer) => answer.status,
            () => null
          );
          if (status === 200) accepted.add(id);
        }
      };
      const before = accepted.size;
      const senders = Promise.all(Array.from({ length: 8 }, sender));
      while (accepted.size < before + 30 + 40 * Math.random())
        await new Promise((resolve) => setImmediate(resolve));
      await nodeRed.kill();
      open = false;
      await senders;
      await nodeRed.start();
    }
    const seen = await instance.settled();
    const times = new Map<unknown, number>();
    for (const { event } of seen) times.set(event?.['id'], (times.get(event?.['id']) ?? 0) + 1);
    should([...accepted].filter((id) => !times.has(id))).deepEqual([]);
    // A kill between the hand-over and its record repeats a message; the repeat is marked.
    const repeats = seen.filter(({ event }) => (times.get(event?.['id']) ?? 0) > 1);
    for (const { event } of repeats) {
      const marked = seen.filter(
        (other) => other.event?.['id'] === event?.['id'] && other.event?.['recovered']
      );
      should(marked.length).equal((times.get(event?.['id']) ?? 0) - 1);
    }
  });

  it('asks senders to try again while the state directory cannot be written', async () => {
    const { nodeRed } = instance;
    await nodeRed.stop({ keep: true });
    const directory = path.join(nodeRed.userDir, 'telnyx');
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'in the way');
    await nodeRed.start();
    const refused = await instance.deliver(jsonDelivery(holdEvent('first-refused')));
    should(refused.status).equal(503);
    should(refused.headers['retry-after']).match(/^\d+$/);
    const [error] = await nodeRed.messages(1, { file: 'errors.jsonl' });
    should(instance.nodeRed.codeOf(error)).equal('NOT_RECORDED');
    rmSync(directory);
    mkdirSync(directory);
    should((await instance.deliver(jsonDelivery(holdEvent('first-refused')))).status).equal(200);
    const [message] = await instance.settled();
    should(message?.event?.['id']).equal('first-refused');
    should(message?.event?.['duplicate']).be.false();
  });

  describe('on a full disk', () => {
    let mount: Mount;
    before(function () {
      mount = requireMount(this, '3m');
    });
    after(() => mount.unmount());

    it('accepts nothing that it cannot keep, stays alive, and goes on when there is room', async () => {
      const { nodeRed } = instance;
      await nodeRed.stop({ keep: true });
      rmSync(path.join(nodeRed.userDir, 'telnyx'), { recursive: true });
      symlinkSync(mount.directory, path.join(nodeRed.userDir, 'telnyx'));
      await nodeRed.start();
      should((await instance.deliver(jsonDelivery(holdEvent('before')))).status).equal(200);

      const filler = path.join(mount.directory, 'filler');
      fill(filler);
      const statuses: (number | undefined)[] = [];
      for (let index = 0; index < 200; index += 1) {
        // The log can still fill what it has allocated, so more than that has to come.
        const body = holdEvent(`full-${index}`).replace('made-up', 'x'.repeat(20_000));
        const answer = await instance.deliver(jsonDelivery(body));
        statuses.push(answer.status);
        if (answer.status === 503 && statuses.length > 5) break;
      }
      should(statuses.at(-1)).equal(503);
      should(nodeRed.alive).be.true();

      rmSync(filler);
      const refused = statuses.lastIndexOf(503);
      should((await instance.deliver(jsonDelivery(holdEvent(`full-${refused}`)))).status).equal(200);
      const ids = (await instance.settled()).map(({ event }) => event?.['id']);
      should(ids).containEql('before');
      const accepted = statuses.flatMap((status, index) => (status === 200 ? [`full-${index}`] : []));
      for (const id of [...accepted, `full-${refused}`])
        should(ids.filter((each) => each === id).length).equal(1);
    });
  });
});

/** Writes until the file system takes not one more byte. */
function fill(file: string): void {
  for (const size of [64 * 1024, 4096, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      should((error as NodeJS.ErrnoException).code).equal('ENOSPC');
    }
  }
}
